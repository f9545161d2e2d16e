import { expect, ts } from '../../support/lab.ts'
import { atEachTier } from './at-each-tier.ts'

atEachTier((it, run) => {
  it('P48 tells how it ended: code, panic with its causes, and what a load that fails was', async ({
    lab,
  }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const seven = spawn(new URL('./child.ts', import.meta.url), { args: ['exit'] })
        const pending = seven.call(1).catch(told)
        await println([ended(await seven.exited), (await pending).code, (await pending).exit])
        const late = spawn(new URL('./child.ts', import.meta.url), { args: ['panic'], stderr: 'pipe' })
        await println(ended(await late.exited))
        const bad = spawn(new URL('./bad.ts', import.meta.url), { stderr: 'pipe' })
        await println([(await bad.ready.catch(told)).code, (await bad.exited).code])`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        if (self.args[0] === 'panic') setTimeout(() => { throw new Error('end', { cause: new RangeError('begin') }) }, 100)
        await serve(() => process.exit(7))`,
      'bad.ts': ts`throw new Error('at load'`,
    })
    expect(facts[0]).toEqual([{ code: 7 }, 'offline', { code: 7 }])
    expect(facts[1]).toMatchObject({
      code: 2,
      panic: { code: 'handler', message: 'end', address: '/child', cause: { message: 'begin' } },
    })
    expect(facts[2][0]).toBe('offline')
  })

  it('P48 says everything before it ends, also to whoever reads late', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const exit = await child.exited
        let length = 0
        let end: any
        try { for await (const text of child.stdout) length += (text as string).length } catch (error) { end = told(error) }
        const records = []
        for await (const record of child.stderr) records.push(record.tag)
        await println([length, ended(exit), records, end.cause.message])`,
      'child.ts': ts`
        import { log, println } from 'wat-vm'
        for (let n = 0; n < 40; n++) void println('x'.repeat(100_000))
        log.info('last', { words: 1 })
        console.log('as text')
        setTimeout(() => { throw new Error('late') }, 100)`,
    })
    expect(facts[0]).toMatchObject([
      4_000_000,
      { code: 2, panic: { message: 'late' } },
      ['wat/log', 'wat/raw', 'wat/panic'],
      'late',
    ])
  })

  it('P48 P69 tells behind the last value that its source died; one that ended, or that we ended, just ends', async ({
    lab,
  }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const read = async (child: any) => {
          const seen: unknown[] = []
          try { for await (const value of child.stdout) seen.push(value); seen.push('end') }
          catch (error) { const { code, exit, cause } = told(error); seen.push(code, exit, cause?.message) }
          return seen
        }
        const start = (how: string) => spawn(new URL('./child.ts', import.meta.url), { args: [how], stderr: 'pipe' })
        for (const seen of await Promise.all(['exit', 'panic', 'done'].map(how => read(start(how))))) await println(seen)
        const signalled = start('stay')
        await signalled.stdout.recv()
        signalled.signal('SIGKILL')
        await println(await read(signalled))
        const ends = (['stop', 'kill'] as const).map(async end => {
          const ours = start('stay')
          await ours.stdout.recv()
          const [, seen] = await Promise.all([ours[end](), read(ours)])
          return seen
        })
        for (const seen of await Promise.all(ends)) await println(seen)
        const late = start('exit')
        await late.exited
        await late.stop()
        await println(await read(late))
        await println(await read(late))`,
      'child.ts': ts`
        import { println, self } from 'wat-vm'
        await println(1)
        if (self.args[0] !== 'stay') void println(2)
        if (self.args[0] === 'exit') process.exit(3)
        if (self.args[0] === 'panic') throw new Error('oh')
        if (self.args[0] === 'stay') setInterval(() => {}, 1000)`,
    })
    expect(facts).toEqual([
      [1, 2, 'offline', { code: 3 }, null],
      [1, 2, 'offline', { code: 2 }, 'oh'],
      [1, 2, 'end'],
      ['offline', { signal: 'SIGKILL' }, null],
      ['end'],
      ['end'],
      [1, 2, 'offline', { code: 3 }, null],
      ['offline', { code: 3 }, null],
    ])
  })
})
