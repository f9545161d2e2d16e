import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { peakMiB } from '../support/proc.ts'

const MiB = 1024 * 1024

describe('a form over maxFrame', () => {
  it('P12 is refused before it is held in memory, and the next one is served', async ({ lab }) => {
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

  it('P3 a form of 10 MB in 4 KB chunks takes time in proportion to its size', async ({ lab }) => {
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

  it('P63 says how large it is, what the limit is and how to raise it', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess, spawnThread } from 'wat-vm'
        for (const spawn of [spawnProcess, spawnThread]) {
          const child = spawn(new URL('./child.ts', import.meta.url), { maxFrame: 1000 })
          const failed = [child.call('x'.repeat(2000)), child.stdin.send('x'.repeat(2000)), child.call(2000)]
          for (const each of failed) {
            const { code, data, message } = await each.catch((error: any) => error)
            await println([code, data, message])
          }
          await child.stop()
        }`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve((n: number) => 'y'.repeat(n))`,
    })
    const facts = await lab.facts<[string, Record<string, number>, string]>(program)
    expect(facts).toHaveLength(6)
    for (const [code, { bytes, maxFrame }, message] of facts) {
      expect([code, maxFrame]).toEqual(['too-large', 1000])
      expect(bytes).toBeGreaterThanOrEqual(2002)
      expect(bytes).toBeLessThan(2050)
      for (const part of [`${bytes} bytes`, '1000 bytes', 'maxFrame', '--max-frame'])
        expect(message).toContain(part)
    }
  })

  it('P63 P23 a root is told its limit with --max-frame, and gives it to its children', async ({ lab }) => {
    const program = lab.program({
      'program.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await serve((text: string) => child.call(text))`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve((text: string) => text.length)`,
    })
    const input = `"${'x'.repeat(1500)}"\n"${'x'.repeat(17 * MiB)}"\n"end"\n`
    const outputs = async (...options: string[]) => (await lab.run(program, { input, options })).stdout
    expect(await outputs()).toBe('1500\n3\n')
    expect(await outputs('--max-frame', '18MiB')).toBe(`1500\n${17 * MiB}\n3\n`)
    expect(await outputs('--max-frame=18M')).toBe(`1500\n${17 * MiB}\n3\n`)
    expect(await outputs('--max-frame', '1K')).toBe('3\n')
    const { stderr, code } = await lab.run(program, { input, options: ['--max-frame', '1000'] })
    expect(code).toBe(65)
    const [{ value }] = parseAll(stderr) as [Tagged<Record<string, any>>]
    expect(value.data.maxFrame).toBe(1000)
    expect(value.message).toMatch(
      /^a form of 1501 bytes is over maxFrame, 1000 bytes; [^;]*--max-frame[^;]*$/,
    )
  })

  it('P63 P12 what no text can hold is too large as well, wherever it is put', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { log, println, spawnProcess } from 'wat-vm'
        import { stringify } from 'wat-vm/edn'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        const bytes = new Uint8Array(450e6)
        const text = 'x'.repeat(450e6)
        const list = Array(600).fill('y'.repeat(1e6))
        const of = async (attempt: () => unknown) => {
          const error: any = await (async () => attempt())().catch(error => error)
          await println([error?.code ?? null, error?.data?.bytes ?? 0, error?.data?.maxFrame ?? null])
        }
        for (const value of [bytes, text, list]) {
          await of(() => child.call(value))
          await of(() => child.stdin.send(value))
          await of(() => child.stdin.trySend(value))
        }
        await of(() => child.call('reply'))
        await of(() => println(bytes))
        await of(() => stringify(bytes))
        await of(() => stringify([1, [list]], { pretty: true }))
        await of(() => spawnProcess(() => {}, { given: { bytes } }).ready.catch(error => Promise.reject(error.cause)))
        log.info('bytes', bytes)
        await println(await child.call('fine'))`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve((what: string) => (what === 'reply' ? new Uint8Array(450e6) : what))`,
    })
    const facts = await lab.facts(program)
    expect(facts.pop()).toBe('fine')
    expect(facts).toHaveLength(14)
    for (const [code, bytes] of facts) {
      expect(code).toBe('too-large')
      expect(bytes).toBeGreaterThan(16 * MiB)
    }
    expect(facts.slice(0, 10).every(([, , maxFrame]) => maxFrame === 16 * MiB)).toBe(true)
  })
})
