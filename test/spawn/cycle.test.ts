import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { childrenOf, descriptors } from '../support/proc.ts'

/** Spawns, uses and ends `count` children per line of input, in every way a child can end. */
const cycling = ts`
  import { getActiveResourcesInfo } from 'node:process'
  import { self, serve, spawnProcess } from 'wat-vm'
  const [double, panics] = self.args as [string, string]
  const ways = [
    async () => { const child = spawnProcess(double); await child.call(1); await child.stop() },
    async () => { const child = spawnProcess(double); await child.ready; await child.kill() },
    async () => { const child = spawnProcess(double); await child.stdin.send(1); await child.stdin.end(); await child.exited },
    async () => { const child = spawnProcess(panics); await child.call(1).catch(() => {}); await child.exited },
    async () => { const child = spawnProcess('/no/such.ts', { stderr: 'pipe' }); await child.exited },
    async () => { await spawnProcess(double).stop() },
    async () => { const child = spawnProcess(double, { cwd: '/no/such' }); await child.exited },
  ]
  const silent = process.stderr
  await serve(async (rounds: number) => {
    for (let n = 0; n < rounds; n++) await Promise.all(ways.map(way => way()))
    await new Promise(resolve => setTimeout(resolve, 200))
    globalThis.gc?.()
    return {
      resources: process.getActiveResourcesInfo().sort(),
      listeners: process.eventNames().map(name => [String(name), process.listenerCount(name)]),
      heap: process.memoryUsage().heapUsed,
    }
  })`

describe('a spawn/exit cycle', () => {
  it('P38 leaves no zombie, process, descriptor, listener or handle behind', async ({ lab }) => {
    const live = lab.start(lab.program(cycling), { args: [fixture('double.ts'), fixture('panics-later.ts')] })
    live.write('2\n')
    const before = await live.stdout.value<any>()
    const openBefore = descriptors(live.pid).length
    live.write('4\n')
    const after = await live.stdout.value<any>()
    expect(childrenOf(live.pid)).toEqual([]) // a zombie would be among them
    expect(descriptors(live.pid).length).toBeLessThanOrEqual(openBefore)
    expect(after.resources).toEqual(before.resources)
    expect(after.listeners).toEqual(before.listeners)
    const { code, stderr } = await live.end()
    expect(code).toBe(0)
    expect(stderr).not.toContain('MaxListeners')
  })

  it('P38 addresses are free again, and unique while they live', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const [one, two, three] = [0, 1, 2].map(() => spawnProcess(self.args[0]))
      await println([one!.address, two!.address, three!.address, one!.name, two!.name])
      await two!.stop()
      await println(spawnProcess(self.args[0]).address)
      await println(spawnProcess(self.args[0], { name: 'other' }).address)`)
    expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([
      ['/double', '/double/2', '/double/3', 'double', 'double'],
      '/double/2',
      '/other',
    ])
  })

  it('P38 fifty children at once come up, answer and go', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const children = Array.from({ length: 50 }, () => spawnProcess<number, number>(self.args[0]))
      const replies = await Promise.all(children.map((child, n) => child.call(n)))
      await println(replies.every((reply, n) => reply === n * 2))`)
    expect(await lab.run(program, { args: [fixture('double.ts')] })).toMatchObject({
      code: 0,
      stdout: 'true\n',
      stderr: '',
    })
  })

  it('P38 after an exit nothing is signalled any more, whoever has its number now', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0])
      await child.call(1)
      await child.stop()
      // From here on a signal to that number would be a bug: record what is tried.
      const tried: unknown[] = []
      process.kill = ((...args: unknown[]) => (tried.push(args), true)) as never
      child.signal('SIGKILL')
      await child.kill()
      await child.stop()
      await child[Symbol.asyncDispose]()
      await println(tried)`)
    expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([[]])
  })
})
