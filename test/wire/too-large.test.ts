import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { peakMiB } from '../support/proc.ts'

const MiB = 1024 * 1024

describe('a form over maxFrame', () => {
  it('P12 S09 is refused before it is held in memory, and the next one is served', async ({ lab }) => {
    const live = lab.start(fixture('echo.ts'), {
      env: { WAT_ADDRESS: '/echo', WAT_MAX_FRAME_BYTES: `${MiB}` },
    })
    expect(await live.stdout.line()).toMatch(/^#wat\/ready/)
    live.write('1\n')
    expect(await live.stdout.line()).toBe('1')
    const before = peakMiB(live.pid)
    const chunk = Buffer.alloc(MiB, 'x')
    live.write('["')
    for (let n = 0; n < 150; n++) await live.writeAll(chunk)
    live.write('"] 2\n')
    expect(await live.stdout.line()).toBe('2')
    expect(peakMiB(live.pid) - before).toBeLessThan(60)
    const outcome = await live.end()
    expect(outcome.code).toBe(65)
    const [fault, ...more] = parseAll(outcome.stderr) as Tagged<{ type: unknown; data: unknown }>[]
    expect(String(fault?.value.type)).toBe(':wat/too-large')
    expect(more).toEqual([])
  })

  it('P12 the default cap is 16 MiB: what is just below is served, what is above is not', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve((text: string) => text.length)`)
    const below = 16 * MiB - 10
    const input = `"${'x'.repeat(below)}"\n"${'y'.repeat(17 * MiB)}"\n"end"\n`
    const outcome = await lab.run(program, { input })
    expect(outcome).toMatchObject({ code: 65, stdout: `${below}\n3\n` })
    expect(outcome.stderr).toMatch(/^#wat\/fault \{:type :wat\/too-large/)
  })

  it('P12 is skipped to its own end, whatever it is made of', async ({ lab }) => {
    const env = { WAT_ADDRESS: '/echo', WAT_MAX_FRAME_BYTES: '100' }
    const pad = 'x'.repeat(200)
    const large = [
      `"${pad}"`,
      `["${pad}" "]" \\] ; ]\n {:a "\\"]"} #{1} ]`,
      `{:a ${pad} :b [}`.replace('[}', '[]}'),
      `#my/tag ["${pad}"]`,
      pad,
      `[${'1 '.repeat(200)}]`,
      `"é😀${'é'.repeat(60)}"`,
      `${'['.repeat(80)}"${pad}"${']'.repeat(80)}`,
    ]
    for (const form of large) {
      const outcome = await lab.run(fixture('echo.ts'), { input: `1 ${form} 2\n3`, env })
      expect(outcome.stdout.split('\n').slice(1), form).toEqual(['1', '2', '3', ''])
      expect(outcome.stderr, form).toMatch(/^#wat\/fault \{:type :wat\/too-large[^\n]*\n$/)
      expect(outcome.code).toBe(65)
    }
  })

  it('P12 a request that is too large is answered with `too-large`', async ({ lab }) => {
    const env = { WAT_ADDRESS: '/echo', WAT_MAX_FRAME_BYTES: '100' }
    const input = `#wat/req [5 "${'x'.repeat(500)}"]\n#wat/req [6 "ok"]\n`
    const { stdout } = await lab.run(fixture('echo.ts'), { input, env })
    expect(stdout.split('\n')[1]).toMatch(/^#wat\/err \[5 \{:type :wat\/too-large/)
    expect(stdout.split('\n')[2]).toBe('#wat/rep [6 "ok"]')
  })

  it('P12 holds in both directions of a spawned process, and the next call works', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { maxFrame: 1000 })
        await println((await told(child.call('x'.repeat(2000)))).code)
        await println((await told(child.stdin.send('x'.repeat(2000)))).code)
        try { child.stdin.trySend('x'.repeat(2000)) } catch (error: any) { await println(error.code) }
        await println((await told(child.call(2000))).code)
        await println((await told(child.call('é'.repeat(900)))).code)
        await println((await child.call(900)).length)`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve((n: number) => 'y'.repeat(n))`,
    })
    expect(await lab.facts(program)).toEqual([
      'too-large',
      'too-large',
      'too-large',
      'too-large',
      'too-large',
      900,
    ])
  })

  it('P12 what a child prints over the cap is told to somebody, and what follows arrives', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { maxFrame: 1000 })
        for await (const value of child.stdout) await println(value)`,
      'child.ts': ts`
        import { log, println } from 'wat-vm'
        await println('x'.repeat(5000)).catch(error => log.error(error.code))
        await println('after')`,
    })
    const outcome = await lab.run(program)
    expect(outcome.stdout).toBe('"after"\n')
    expect(outcome.stderr).toContain('too-large')
  })

  it('P12 a hostile reply over the cap fails its call, and the next one works', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { maxFrame: 1000 })
        await println((await told(child.call(1))).code)
        await println(await child.call(2))`,
      'child.ts': ts`
        import fs from 'node:fs'
        import { serve } from 'wat-vm'
        await serve((n: number) => {
          if (n === 2) return 'fine'
          fs.writeSync(4, '#wat/rep [1 "' + 'x'.repeat(20_000) + '"]\n')
        })`,
    })
    expect(await lab.facts(program)).toEqual(['too-large', 'fine'])
  })

  it('P3 S09 a form of 10 MB in 4 KB chunks takes time in proportion to its size', async ({ lab }) => {
    const time = async (mb: number) => {
      const live = lab.start(
        lab.program(ts`
        import { serve } from 'wat-vm'
        await serve((list: unknown[]) => list.length)`),
      )
      live.write('[1]\n')
      expect(await live.stdout.line()).toBe('1')
      const started = performance.now()
      live.write('[')
      const chunk = '"0123456789abcdef0123456789abcd" '.repeat(128) // 4 KiB
      for (let n = 0; n < mb * 256; n++) await live.writeAll(chunk)
      live.write(']\n')
      expect(await live.stdout.line()).toBe(String(mb * 256 * 128))
      await live.end()
      return performance.now() - started
    }
    const one = await time(2)
    const ten = await time(10)
    expect(ten).toBeLessThan(one * 5 * 4 + 500) // quadratic would be 25 times
  })
})
