import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture, wat } from '../support/machine.ts'
import { secretFile } from '../tiers/tiers.ts'

/** Longer than a timer of Node, in several ways: each meant "at once". */
const LONG = ['3000000000', '99999999999', '1e12', '1e300']

/** Answers after what a timer at once would have cut short. */
const slow = ts`
  import { self, serve } from 'wat-vm'
  self.onStop(() => new Promise(resolve => setTimeout(resolve, 100)))
  await serve((ms: number) => new Promise(resolve => setTimeout(resolve, ms, 'in time')))`

describe('a time that is longer than any timer', () => {
  for (const ms of ['99999999999', '3000000000', '9007199254740991']) {
    it(`P66 WAT_STOP_GRACE_MS=${ms} is a grace, not none`, async ({ lab }) => {
      const live = lab.start(lab.program(slow), { env: { WAT_STOP_GRACE_MS: ms } })
      live.write('#wat/req [1 300] #wat/req [2 0]\n')
      expect(await live.stdout.value()).toMatchObject({ value: [2, 'in time'] })
      live.signal('SIGTERM')
      expect((await live.ended).stdout).toBe('#wat/rep [2 "in time"]\n#wat/rep [1 "in time"]\n')
    })
  }

  for (const ms of [...LONG, '##Inf', '2147483648']) {
    it(`P66 #wat/stop {:grace-ms ${ms}} lets work finish, here and below`, async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { serve, spawnProcess } from 'wat-vm'
          const child = spawnProcess<number, string>(new URL('./slow.ts', import.meta.url))
          await child.ready
          await serve((ms: number) => child.call(ms))`,
        'slow.ts': slow,
      })
      const live = lab.start(program, { env: { WAT_ADDRESS: '/p' } })
      live.write('#wat/req [1 1]\n')
      expect(await live.stdout.value()).toMatchObject({ tag: 'wat/ready' })
      expect(await live.stdout.value()).toMatchObject({ value: [1, 'in time'] })
      live.write(`#wat/req [2 300]\n#wat/stop {:grace-ms ${ms}}\n`)
      const { code, stdout, stderr } = await live.ended
      expect([code, stdout.match(/#wat\/rep \[2 "in time"\]/)?.length], stderr).toEqual([0, 1])
    })
  }

  it('P66 P11 a grace that is no number, negative or NaN is malformed, and nothing stops', async ({
    lab,
  }) => {
    const graces = ['##NaN', '-1', '##-Inf', '"5"', '[]', '{:toString 1}', 'nil', '30000000000000000000']
    const input = `${graces.map(grace => `#wat/stop {:grace-ms ${grace}}`).join('\n')}\n#wat/req [1 2]\n`
    const { code, stdout, stderr } = await lab.run(fixture('double.ts'), { input })
    expect([code, stdout]).toEqual([65, '#wat/rep [1 4]\n'])
    expect(stderr.match(/:wat\/malformed/g)).toHaveLength(graces.length)
  })

  it('P66 stopGrace and timeout of a parent: Infinity and what is huge wait, NaN is denied, less than nothing is at once', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { connect, listen, println, spawnProcess, spawnThread } from 'wat-vm'
        ${told}
        const file = new URL('./slow.ts', import.meta.url)
        const secret = new Uint8Array(32)
        for (const spawn of [spawnProcess, spawnThread]) for (const stopGrace of [Infinity, 3e9, 1e300]) {
          const child = spawn<number, string>(file, { stopGrace })
          await child.ready
          const call = told(child.call(300))
          await new Promise(resolve => setTimeout(resolve, 50))
          const exit = await child.stop()
          await println([exit.code ?? exit.signal ?? null, await call])
        }
        const child = spawnProcess<number, string>(file)
        for (const timeout of [Infinity, 3e9, 1e12]) await println(await child.call(50, { timeout }))
        for (const timeout of [NaN, '5', {}, null, -1, -Infinity, 0] as any[])
          await println((await told(child.call(5000, { timeout })) as any).code)
        for (const stopGrace of [NaN, -1, '5'] as any[]) {
          try { spawnProcess(file, { stopGrace }); await println('taken') } catch (error: any) { await println(error.code) }
          await println((await told(listen('tcp://127.0.0.1:0', n => n, { secret, stopGrace })) as any).code)
        }
        await println((await told(listen('tcp://127.0.0.1:0', n => n, { secret, concurrency: NaN })) as any).code)
        const listener = await listen('tcp://127.0.0.1:0', (ms: number) => new Promise(resolve => setTimeout(resolve, ms, 'in time')), { secret, stopGrace: Infinity })
        const peer = connect<number, string>(listener.address, { secret, stopGrace: 1e12 })
        await peer.ready
        const call = told(peer.call(300))
        await new Promise(resolve => setTimeout(resolve, 50))
        void listener.close()
        await println(await call)`,
      'slow.ts': slow,
    })
    const stopped = Array.from({ length: 6 }, () => [0, { value: 'in time' }])
    const timeouts = ['denied', 'denied', 'denied', 'denied', 'timeout', 'timeout', 'timeout']
    const denied = Array.from({ length: 7 }, () => 'denied')
    expect(await lab.facts(program)).toEqual([
      ...stopped,
      'in time',
      'in time',
      'in time',
      ...timeouts,
      ...denied,
      { value: 'in time' },
    ])
  })

  it('P66 P49 silence: what is huge waits, on both sides, and NaN is denied', async ({ lab }) => {
    const secret = secretFile(lab)
    const host = lab.command(wat, ['host', 'tcp://127.0.0.1:0', '--secret', secret])
    const at = await host.stdout.value<string>()
    const program = lab.program(ts`
      import { println, self, spawnRemote } from 'wat-vm'
      const [at, secret, program] = self.args as [string, string, string]
      for (const silence of [Infinity, 3e9, 1e300]) for (const stopGrace of [1e12, Infinity]) {
        const remote = spawnRemote<number, string>(program, { at, secret, silence, stopGrace })
        await println(await remote.call(300))
        await println((await remote.stop()).code)
      }
      try { spawnRemote(program, { at, secret, silence: NaN }) } catch (error: any) { await println(error.code) }`)
    const facts = await lab.facts(program, { args: [at!, secret, lab.program(slow)] })
    expect(facts).toEqual([...Array.from({ length: 6 }, () => ['in time', 0]).flat(), 'denied'])
    host.signal('SIGTERM')
    await host.ended
  })
})
