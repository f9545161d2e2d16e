import { expect, ts } from '../../support/lab.ts'
import { atEachTier } from './at-each-tier.ts'

atEachTier((it, run) => {
  it('P48 stops in order, hooks and all; what is stuck is killed in time', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url))
        await child.ready
        const answered = child.call('slow')
        await child.call('quick')
        const [one, two] = await Promise.all([child.stop(), child.stop()])
        await println([await answered, ended(one), ended(two), await child.stdout.recv()])
        const stuck = spawn(async ({ println }: any) => { await println('in'); for (;;) {} }, { name: 'stuck', stopGrace: 200 })
        await stuck.stdout.recv()
        const begun = performance.now()
        const exit = await stuck.stop()
        await println([ended(exit), performance.now() - begun < 1200])
        const killed = spawn(new URL('./child.ts', import.meta.url))
        await killed.ready
        await println(ended(await killed.kill()))`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        self.onStop(() => println('hook'))
        await serve(async (body: string) => { if (body === 'slow') await new Promise(r => setTimeout(r, 300)); return body })`,
    })
    expect(facts).toEqual([
      ['slow', { code: 0 }, { code: 0 }, 'hook'],
      [{ signal: 'SIGKILL' }, true],
      { signal: 'SIGKILL' },
    ])
  })

  it('P48 has children of its own, which go with it', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const branch = spawn(new URL('./branch.ts', import.meta.url), { stopGrace: 1000 })
        await println(await branch.call(20))
        await println(ended(await branch.kill()))`,
      'branch.ts': ts`
        import { serve, spawnProcess, spawnThread } from 'wat-vm'
        const leaf = spawnProcess<number, unknown[]>(new URL('./leaf.ts', import.meta.url))
        const thread = spawnThread<number, unknown[]>(new URL('./leaf.ts', import.meta.url), { name: 'thread' })
        await serve(async (n: number) => [await leaf.call(n), await thread.call(n)])`,
      'leaf.ts': ts`
        import { self, serve } from 'wat-vm'
        await serve((n: number) => [n + 1, self.address])`,
    })
    expect(facts).toEqual([
      [
        [21, '/branch/leaf'],
        [21, '/branch/thread'],
      ],
      { signal: 'SIGKILL' },
    ])
  })
})
