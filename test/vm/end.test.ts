import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('the end of a program', () => {
  it('P18 a program that does nothing exits 0 with nothing on its pipes', async ({ lab }) => {
    const nothing = { code: 0, signal: null, stdout: '', stderr: '' }
    expect(await lab.run(lab.program(''))).toEqual(nothing)
    expect(await lab.run(lab.program('export {}'), { input: '1' })).toEqual(nothing)
  })

  it('P18 an idle child does not keep it alive, and is stopped in order', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(await child.call(1))`,
      'child.ts': ts`
        import { log, self, serve } from 'wat-vm'
        self.onStop(() => log.info('hook'))
        await serve(n => n)`,
    })
    const outcome = await lab.run(program)
    expect(outcome).toMatchObject({ code: 0, stdout: '1\n' })
    expect(outcome.stderr).toMatch(/^#wat\/log .*"hook"\}\n$/)
    await lab.noSurvivors(1000)
  })

  it('P18 nor does one that was spawned and never spoken to', async ({ lab }) => {
    const program = lab.program(ts`
      import { self, spawnProcess } from 'wat-vm'
      for (let n = 0; n < 3; n++) spawnProcess(self.args[0])`)
    expect(await lab.run(program, { args: [fixture('forever.ts')] })).toMatchObject({ code: 0, stderr: '' })
    await lab.noSurvivors(1000)
  })

  it('P18 a pending call keeps it alive, also without anybody at the top level', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        child.call(5).then(println)`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(n => new Promise(resolve => setTimeout(resolve, 300, n)))`,
    })
    expect(await lab.facts(program)).toEqual([5])
  })

  it('P18 a read of a child that has not ended keeps it alive, until the child ends', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        for await (const value of child.stdout) await println(value)
        await println(await child.exited)`,
      'child.ts': ts`
        import { setTimeout } from 'node:timers/promises'
        import { println } from 'wat-vm'
        for (const n of [1, 2]) { await setTimeout(150); await println(n) }`,
    })
    expect(await lab.facts(program)).toEqual([1, 2, { code: 0 }])
  })

  it('P18 a timer keeps it alive as in any program, and a top level that never settles ends in no hang of a stop', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      setTimeout(() => println('late'), 300)`)
    expect(await lab.facts(program)).toEqual(['late'])
    const never = lab.start(
      lab.program(ts`
      import { println } from 'wat-vm'
      await println('on')
      await new Promise(() => {})`),
    )
    expect(await never.stdout.line()).toBe('"on"')
    never.signal('SIGTERM')
    expect(await never.ended).toMatchObject({ signal: 'SIGTERM' })
  })

  it('P18 a server with a stray interval ends within the grace after end of input, and its hooks run', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self, serve } from 'wat-vm'
      self.onStop(() => println('hook'))
      setInterval(() => {}, 1000)
      await serve(n => n)`)
    const started = performance.now()
    const outcome = await lab.run(program, { input: '1' })
    expect(outcome).toEqual({ code: 0, signal: null, stdout: '1\n"hook"\n', stderr: '' })
    expect(performance.now() - started).toBeLessThan(6000)
  })

  it('P34 hooks run last to first, each awaited, and one that fails does not stop the others', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self } from 'wat-vm'
      self.onStop(() => println('first given'))
      self.onStop(() => { throw new Error('bad hook') })
      self.onStop(() => Promise.reject(new Error('worse hook')))
      self.onStop(async () => {
        await new Promise(resolve => setTimeout(resolve, 100))
        await println(['last given', self.signal.aborted])
      })
      await println('top')`)
    const outcome = await lab.run(program)
    expect(outcome).toMatchObject({ code: 0, stdout: '"top"\n["last given" true]\n"first given"\n' })
    expect(outcome.stderr.match(/#wat\/fault/g)).toHaveLength(2)
  })

  it('P20 process.exitCode is respected, at an ordinary end and in process.exit', async ({ lab }) => {
    const run = async (source: string) => (await lab.run(lab.program(source), { input: '1' })).code
    expect(await run('process.exitCode = 9')).toBe(9)
    expect(await run('process.exitCode = 9; process.exit()')).toBe(9)
    expect(await run('process.exit(5)')).toBe(5)
    expect(
      await run(ts`import { serve } from 'wat-vm'; await serve(() => { throw 1 }); process.exitCode = 4`),
    ).toBe(4)
  })

  it('P20 malformed input wins over a failed handler', async ({ lab }) => {
    const program = lab.program(
      ts`import { serve } from 'wat-vm'; await serve(() => { throw new Error('no') })`,
    )
    expect((await lab.run(program, { input: '1\n)\n' })).code).toBe(65)
    expect((await lab.run(program, { input: '1\n' })).code).toBe(1)
  })

  it('P24 process.exit in a parent takes its children along', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0], { stopGrace: 500 })
      await child.ready
      await println('up')
      process.exit(3)`)
    expect(await lab.run(program, { args: [fixture('forever.ts')] })).toMatchObject({
      code: 3,
      stdout: '"up"\n',
    })
    await lab.noSurvivors(1500 + 1500)
  })
})
