import { expect, ts } from '../../support/lab.ts'
import { atEachTier } from './at-each-tier.ts'

atEachTier((it, run) => {
  it('P48 takes and prints plain values in order, and ends with its input', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { args: ['one', 'tw o'], env: { GIVEN: 'yes ü' } })
        await println(await child.stdout.recv())
        const reading = (async () => { let sum = 0; for await (const n of child.stdout) sum += n as number; return sum })()
        for (let n = 1; n <= 5000; n++) await child.stdin.send(n)
        await child.stdin.end()
        await println([await reading, ended(await child.exited)])`,
      'child.ts': ts`
        import { println, self, stdin } from 'wat-vm'
        await println([self.name, self.address, self.args, process.env.GIVEN, Object.keys(process.env).filter(name => name.startsWith('WAT_'))])
        for await (const n of stdin) await println(n)`,
    })
    expect(facts).toEqual([
      ['child', '/child', ['one', 'tw o'], 'yes ü', []],
      [12_502_500, { code: 0 }],
    ])
  })

  it('P48 makes a sender wait that is faster than it reads', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        import { ref } from 'wat-vm'
        const full = Promise.withResolvers<void>()
        const child = spawn(new URL('./child.ts', import.meta.url), { given: { full: ref(() => full.promise) } })
        await child.ready
        const block = 'x'.repeat(64 * 1024)
        let sent = 0
        while (child.stdin.trySend(block) === 'sent' || (await new Promise(r => setTimeout(r, 100)), child.stdin.trySend(block) === 'sent')) sent++
        await println(sent < 100)
        full.resolve()
        await println(await child.call('read'))
        await child.stdin.send(block)
        await println(ended(await child.stop()))`,
      'child.ts': ts`
        import { self, serve } from 'wat-vm'
        await self.given.full.call(null)
        await serve((body: string) => body.length)`,
    })
    expect(facts).toEqual([true, 4, { code: 0 }])
  })

  it('P30 P48 its stderr comes as records, from whatever depth', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const seen: any[] = []
        for await (const { tag, value } of child.stderr) seen.push(tag === 'wat/raw' ? [tag, value] : [tag, value.message, value.address])
        await println(seen)`,
      'child.ts': ts`
        import { log, spawnProcess } from 'wat-vm'
        log.warn('from the child')
        console.error('some text')
        await spawnProcess(new URL('./deeper.ts', import.meta.url)).exited`,
      'deeper.ts': ts`
        import { log } from 'wat-vm'
        log.info('from below')`,
    })
    expect(facts[0]).toEqual([
      ['wat/log', 'from the child', '/child'],
      ['wat/raw', 'some text'],
      ['wat/log', 'from below', '/child/deeper'],
    ])
  })
})
