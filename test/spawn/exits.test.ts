import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

/** Prints how a child exited and how a call to it was rejected. */
const report = (options = '{}') => ts`
  import { println, self, spawnProcess } from 'wat-vm'
  ${told}
  const child = spawnProcess(self.args[0], ${options})
  const call = told(child.call(1))
  const ready = await told(child.ready)
  const { code, signal, panic } = await child.exited
  const exit: any = { code, signal, panic: panic?.message }
  await println({ exit, ready: ready.code, call: await call })`

describe('an exit', () => {
  it('P29 rejects every pending call at once, with exit code and panic apart', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      ${told}
      const child = spawnProcess(self.args[0])
      const calls = Array.from({ length: 100 }, (_, n) => told(child.call(n === 0 ? 50 : 1e6)))
      const settled = await Promise.all(calls)
      const at = performance.now()
      const { code, signal, panic } = await child.exited
      await println([performance.now() - at < 100, code, signal ?? null, panic!.message, (panic!.cause as Error).message])
      const first = settled[0]!
      await println([first.code, first.data.exit, first.data.panic.message, first.address])
      await println(settled.every(call => call.code === 'offline'))
      await println((await told(child.call(1))).code)`)
    const facts = await lab.facts(program, { args: [fixture('panics-later.ts')] })
    expect(facts).toEqual([
      [true, 2, null, 'later is now', 'time'],
      ['offline', { code: 2 }, 'later is now', '/panics-later'],
      true,
      'offline',
    ])
  })

  it('P29 within 100 ms of the death of the process', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      ${told}
      const child = spawnProcess(self.args[0])
      await child.stdin.send('go')
      await child.stdout.recv()
      const calls = Array.from({ length: 10 }, () => told(child.call(1)))
      const at = performance.now()
      child.signal('SIGKILL')
      const outcomes = await Promise.all(calls)
      await println([performance.now() - at, outcomes.map(o => [o.code, o.data.exit])])`)
    const [[ms, outcomes]] = await lab.facts(program, { args: [fixture('stuck.ts')] })
    expect(outcomes).toEqual(Array.from({ length: 10 }, () => ['offline', { signal: 'SIGKILL' }]))
    expect(ms).toBeLessThan(400) // 100 on a machine that is not busy with other tests
  })

  const ends: [way: string, exit: object][] = [
    ['process.exit(7)', { code: 7 }],
    ['process.exit(0)', { code: 0 }],
    ["process.kill(process.pid, 'SIGKILL')", { signal: 'SIGKILL' }],
    ["process.kill(process.pid, 'SIGTERM')", { signal: 'SIGTERM' }],
    ['process.abort()', { signal: 'SIGABRT' }],
  ]
  for (const [way, exit] of ends) {
    it(`P29 ${way} is told as ${JSON.stringify(exit)} and nothing else, by the exit and by the call`, async ({
      lab,
    }) => {
      const child = lab.program(ts`
        import { serve } from 'wat-vm'
        await serve((_, { signal }) => {
          ${way}
          return new Promise(resolve => signal.addEventListener('abort', resolve))
        })`)
      const [fact] = await lab.facts(lab.program(report(`{ stopGrace: 500, stderr: 'pipe' }`)), {
        args: [child],
      })
      expect(fact.exit).toEqual(exit)
      expect(fact.call.code).toBe('offline')
      expect(fact.call.data).toEqual({ exit })
    })
  }

  it('P31 a command, a folder to work in, or a program to be sent that is missing is said to be so', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, prewarm, self, spawnProcess, spawnThread } from 'wat-vm'
      const missing = [
        () => spawnProcess({ command: 'no-such-command' }), () => spawnProcess({ command: './no-such-command' }),
        () => spawnProcess(self.args[0]!, { cwd: '/no/such/folder' }), () => spawnProcess({ command: 'cat' }, { cwd: '/etc/passwd' }),
        () => spawnProcess('/no/such.ts', { via: ['env'] }), () => spawnProcess('/no/such.ts', { via: ['env'], send: false }),
        () => spawnThread('/no/such.ts'),
      ]
      for (const spawn of missing) {
        const child = spawn()
        const error: any = await child.call(1).catch(error => error)
        await println([error.code, error.data.exit.code ?? null, error.message])
      }
      const own = spawnProcess({ command: 'sh', args: ['-c', 'exit 127'] })
      await println(((await own.exited).panic?.message ?? null))`)
    const facts = await lab.facts(program, { args: [fixture('echo.ts')] })
    expect(facts).toEqual([
      ['offline', 127, expect.stringContaining('no such command: no-such-command')],
      ['offline', 127, expect.stringContaining('no such command: ./no-such-command')],
      ['offline', null, expect.stringContaining('no such working directory: /no/such/folder')],
      ['offline', null, expect.stringContaining('no such working directory: /etc/passwd')],
      ['offline', 66, expect.stringContaining('no such program: /no/such.ts')],
      ['offline', 66, expect.stringContaining('no such program: /no/such.ts')],
      ['offline', 66, expect.stringContaining('no such program: /no/such.ts')],
      null,
    ])
  })

  it('P31 a program that is missing, a folder, broken or throws is a structured rejection', async ({
    lab,
  }) => {
    const cases: [files: Record<string, string> | string, code: number, panic: RegExp][] = [
      ['/no/such/program.ts', 66, /no such program: \/no\/such\/program\.ts/],
      ['/tmp', 66, /not a file: \/tmp/],
      [{ 'broken.ts': 'const = 5' }, 3, /./],
      [{ 'imports.ts': `import './missing.ts'` }, 3, /missing\.ts/],
      [{ 'imports.ts': `import 'no-such-package'` }, 3, /no-such-package/],
      [{ 'imports.ts': `import { nope } from 'wat-vm'` }, 3, /nope/],
      [{ 'throws.ts': `throw new Error('at import')` }, 3, /at import/],
      [{ 'deep.ts': `import './throws.ts'`, 'throws.ts': `throw new Error('at import')` }, 3, /at import/],
    ]
    for (const [files, code, panic] of cases) {
      const child = typeof files === 'string' ? files : lab.program(files)
      const [fact] = await lab.facts(lab.program(report()), { args: [child] })
      expect(fact.exit, child).toEqual({ code, panic: expect.stringMatching(panic) })
      expect([fact.ready, fact.call.code], child).toEqual(['offline', 'offline'])
      expect(fact.call.data.exit, child).toEqual({ code })
    }
  })

  it('P31 a program that exits while it boots never becomes ready, and its code is told', async ({ lab }) => {
    for (const [source, code] of [
      ['process.exit(0)', 0],
      ['process.exit(9)', 9],
      [`import './exit.ts'`, 4],
    ] as const) {
      const child = lab.program({ 'child.ts': source, 'exit.ts': 'process.exit(4)' })
      const [fact] = await lab.facts(lab.program(report()), { args: [child] })
      expect(fact.exit).toEqual({ code })
      expect([fact.ready, fact.call.code, fact.call.data.exit]).toEqual(['offline', 'offline', { code }])
    }
  })

  it('P31 a folder or an option of Node that does not exist is no different', async ({ lab }) => {
    for (const options of [`{ cwd: '/no/such/folder' }`, `{ execArgv: ['--no-such-option'] }`]) {
      const [fact] = await lab.facts(lab.program(report(options)), { args: [fixture('double.ts')] })
      expect([fact.ready, fact.call.code], options).toEqual(['offline', 'offline'])
    }
  })

  it('P31 a PATH that leads nowhere is either no matter or a rejection', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      ${told}
      const child = spawnProcess(self.args[0]!, { env: { PATH: '/nowhere' } })
      const { value, code } = (await told(child.call(21))) as any
      await println(value ?? code)
      await child.stop()`)
    const [outcome] = await lab.facts(program, { args: [fixture('double.ts')] })
    expect([42, 'offline']).toContain(outcome)
  })

  it('P31 promises that nobody awaits never crash the parent', async ({ lab }) => {
    const program = lab.program(ts`
      import { setTimeout } from 'node:timers/promises'
      import { println, spawnProcess } from 'wat-vm'
      const one = spawnProcess('/no/such/program.ts')
      const two = spawnProcess('/no/such/program.ts', { cwd: '/no/such/folder' })
      void one.ready
      void two.exited
      void one.stop()
      void two.kill()
      await Promise.all([one.exited, two.exited])
      await setTimeout(100)
      await println('alive')`)
    expect(await lab.facts(program)).toEqual(['alive'])
  })

  it('P29 a child that runs out of memory tells how it died; its sibling is unaffected', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const url = new URL('./child.ts', import.meta.url)
        const eater = spawnProcess(url, { name: 'eater', execArgv: ['--max-old-space-size=32'], stderr: 'pipe' })
        const sibling = spawnProcess(url, { name: 'sibling' })
        await sibling.call('hello')
        const call = told(eater.call('eat'))
        const { code, signal } = await eater.exited
        await println([(await call).code, signal === 'SIGABRT' || signal === 'SIGTRAP' || code! > 128])
        await println(await sibling.call('still here'))
        const text: string[] = []
        for await (const record of eater.stderr) if (record.tag === 'wat/raw') text.push(record.value as string)
        await println(text.some(line => /heap|memory/i.test(line)))`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(body => {
          if (body !== 'eat') return body
          const kept: unknown[] = []
          for (;;) kept.push(new Array(1000).fill({ kept }))
        })`,
    })
    expect(await lab.facts(program)).toEqual([['offline', true], 'still here', true])
  })

  it('P29 a panic is told even when text without a newline stood before it', async ({ lab }) => {
    const child = lab.program(ts`
      import { readln } from 'wat-vm'
      await readln()
      process.stderr.write('working on it … ')
      throw new Error('boom')`)
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0])
      await child.stdin.end()
      await println((await child.exited).panic?.message ?? null)`)
    expect(await lab.facts(program, { args: [child] })).toEqual(['boom'])
  })

  it('P29 the fault of a dead grandchild reaches the root with its exit and its panic', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url), { args: self.args })
        const error = await middle.call(10).catch(error => error)
        await println([error.code, error.address, error.data.exit, error.cause.message, error.cause.cause.message])`,
      'middle.ts': ts`
        import { self, serve, spawnProcess } from 'wat-vm'
        const leaf = spawnProcess(self.args[0])
        await serve(ms => leaf.call(ms))`,
    })
    const [fact] = await lab.facts(program, { args: [fixture('panics-later.ts')] })
    expect(fact).toEqual(['offline', '/middle/panics-later', { code: 2 }, 'later is now', 'time'])
  })
})
