import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('a stream of forms', () => {
  it('P8 a reply with é 😀 split at every byte is the same value', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(await child.call(null))
        await println(await child.stdout.recv())`,
      'child.ts': ts`
        import fs from 'node:fs'
        import { setImmediate } from 'node:timers/promises'
        import { serve } from 'wat-vm'
        await serve(async () => {
          for (const byte of Buffer.from('#wat/rep [1 {:é "é 😀 \\u00e9"}]\n"é 😀"\n')) {
            fs.writeSync(4, Buffer.from([byte]))
            await setImmediate()
          }
        })`,
    })
    expect(await lab.facts(program)).toEqual([{ é: 'é 😀 é' }, 'é 😀'])
  })

  it('P8 so is an input split at every byte', async ({ lab }) => {
    const live = lab.start(fixture('echo.ts'))
    live.write('1\n')
    expect(await live.stdout.line()).toBe('1')
    for (const byte of Buffer.from('{:a ["é 😀" :ключ]} #wat/req [1 "é 😀"]')) {
      live.write(new Uint8Array([byte]))
      await new Promise(resolve => setImmediate(resolve))
    }
    const outcome = await live.end()
    expect(outcome).toMatchObject({ code: 0, stdout: '1\n{:a ["é 😀" :ключ]}\n#wat/rep [1 "é 😀"]\n' })
  })

  it('P8 a string with every kind of line end is one frame and one line', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const text = 'a\u2028b\u2029c\nd\re\r\nf\u0085g\u000bh\fi\u0000j'
        const child = spawnProcess(import.meta.dirname + '/child.ts')
        await println((await child.call(text)) === text)
        await println(text)`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve(text => text)`,
    })
    const outcome = await lab.run(program)
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stdout.split(/\r|\n/)).toHaveLength(3)
    expect(outcome.stdout).toMatch(/^true\n"a\u2028b\u2029c\\nd\\re/)
  })

  it('P8 a form over many lines with comments and discards is one value; several on a line are several', async ({
    lab,
  }) => {
    const input = `; a comment
      {:a 1 ; in a form
       #_ :left-out, :b
       [2
        3]}
      4 5,6 #_7 "eight" ; the end`
    const outcome = await lab.run(fixture('echo.ts'), { input })
    expect(outcome).toMatchObject({ code: 0, stdout: '{:a 1 :b [2 3]}\n4\n5\n6\n"eight"\n', stderr: '' })
  })

  it('P8 CR LF between forms is white space', async ({ lab }) => {
    expect(await lab.run(fixture('double.ts'), { input: '1\r\n2\r\n' })).toMatchObject({
      code: 0,
      stdout: '2\n4\n',
    })
  })

  it('P8 a last form without a newline is served, also one that only the end completes', async ({ lab }) => {
    expect(await lab.run(fixture('double.ts'), { input: '1\n21' })).toMatchObject({
      code: 0,
      stdout: '2\n42\n',
    })
    expect(await lab.run(fixture('echo.ts'), { input: 'symbol' })).toMatchObject({
      code: 0,
      stdout: 'symbol\n',
    })
  })

  it('P8 no input, white space and comments are no values', async ({ lab }) => {
    for (const input of ['', '\n \n', '; nothing', '#_1 #_ [2 3]']) {
      const outcome = await lab.run(fixture('double.ts'), { input })
      expect(outcome, JSON.stringify(input)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    }
  })

  it('P8 a form is delivered as soon as it is complete, without waiting for a newline', async ({ lab }) => {
    const live = lab.start(fixture('echo.ts'))
    live.write('[1 2]')
    expect(await live.stdout.line()).toBe('[1 2]')
    live.write('"text"')
    expect(await live.stdout.line()).toBe('"text"')
    await live.end()
  })

  it('P8 every kind of value survives two edges', async ({ lab }) => {
    const values =
      'nil true false -1 12345678901234567890N 1.5 1.5M 2/3 ##Inf ##-Inf \\a \\newline :k :a/b sym a/b [1 [2]] ' +
      '(1 2) {:a {:b 1}} {"k" 1} {[1] {2 3}} #{1 2} #inst "2026-01-02T03:04:05.678Z" ' +
      '#uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" #my/tag {:x 1} #wat/bytes "AAEC" "" [] {} #{}'
    const program = lab.program({
      'parent.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await serve(value => child.call(value))`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve(value => value)`,
    })
    const direct = await lab.run(fixture('echo.ts'), { input: values })
    const outcome = await lab.run(program, { input: values })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout).toBe(direct.stdout)
    expect(outcome.stdout).toContain('#inst "2026-01-02T03:04:05.678')
    expect(outcome.stdout).toContain('1.5M\n2/3\n##Inf\n##-Inf\n\\a\n\\newline\n:k\n:a/b\nsym\na/b\n')
    expect(outcome.stdout.trim().split('\n')).toHaveLength(30)
  })

  it('P8 100,000 values in one input arrive in order', async ({ lab }) => {
    const numbers = Array.from({ length: 100_000 }, (_, n) => n)
    const outcome = await lab.run(fixture('double.ts'), { input: numbers.join('\n') })
    expect(outcome.code).toBe(0)
    expect(outcome.stdout).toBe(numbers.map(n => `${n * 2}\n`).join(''))
  })
})
