import { describe, expect, it, ts } from '../support/lab.ts'
import { tierModule } from './tiers.ts'

/** What a program of threads imports besides. */
const helpers = { 'tier.ts': tierModule }

describe('threads', () => {
  it('P51 share channels by name; the death of one gives its place back', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { println, spawnThread } from 'wat-vm'
        import { createChannel } from 'wat-vm/channel'
        const prices = createChannel({ bytes: 4096, readers: 2 })
        const sum = async ({ self, println }: any) => {
          let sum = 0
          for await (const bytes of self.channel('prices').reader()) sum += new DataView(bytes.buffer).getFloat64(0)
          await println(sum)
        }
        const readers = ['one', 'two'].map(name => spawnThread(sum, { name, channels: { prices } }))
        await Promise.all(readers.map(reader => reader.ready))
        const writer = spawnThread(async ({ self, println }) => {
          const out = self.channel('prices').writer()
          const bytes = new Uint8Array(8)
          for (let n = 1; n <= 50_000; n++) { new DataView(bytes.buffer).setFloat64(0, n / 4); await out.write(bytes) }
          out.close()
          await println('written')
        }, { name: 'writer', channels: { prices } })
        await println(await writer.stdout.recv())
        await println(await Promise.all(readers.map(reader => reader.stdout.recv())))

        const held = createChannel({ bytes: 1024, readers: 1 })
        const stuck = spawnThread(async ({ self, println }) => { self.channel('held').reader(); await println('holds'); for (;;) {} },
          { name: 'stuck', channels: { held }, stopGrace: 300 })
        await stuck.stdout.recv()
        const out = held.writer()
        while (out.tryWrite(new Uint8Array(100)) === 'sent');
        const waiting = out.write(new Uint8Array(100)).then(() => 'went on', (error: any) => error.code)
        await println([await stuck.stop(), await waiting])
        const none = spawnThread(({ self }) => { self.channel('none') }, { name: 'none', stderr: 'pipe' })
        const { code, panic } = await none.exited
        await println([code, panic?.code, panic?.message.includes('none')])`),
    )
    expect(facts).toEqual([
      'written',
      [312_506_250, 312_506_250],
      [{ signal: 'SIGKILL' }, expect.stringMatching(/went on|offline/)],
      [2, 'denied', true],
    ])
  })

  it('P51 crash, loop and run out of memory alone', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { println, spawnThread } from 'wat-vm'
          import { ended } from './tier.ts'
          const steady = spawnThread<number, number>(({ serve }) => serve((n: number) => n + 1), { name: 'steady' })
          const crash = spawnThread(({ serve }) => serve(() => { setTimeout(() => { throw new RangeError('out') }) ; return 1 }), { name: 'crash', stderr: 'pipe' })
          await crash.call(1)
          await println(ended(await crash.exited).panic)
          const hungry = spawnThread(({ serve }) => serve(() => { const all: number[][] = []; for (;;) all.push(new Array(100_000).fill(1.5)) }),
            { name: 'hungry', resourceLimits: { maxOldGenerationSizeMb: 40 } })
          const call = hungry.call(1).catch((error: any) => [error.code, error.message.includes('memory')])
          const exit = await hungry.exited
          await println([await call, exit.panic?.message.includes('memory')])
          const looping = spawnThread(({ serve }) => serve(() => { for (;;) {} }), { name: 'looping', stopGrace: 500 })
          await looping.ready
          const never = looping.call(1).catch((error: any) => error.code)
          const begun = performance.now()
          await println([await looping.stop(), await never, performance.now() - begun < 1500])
          const leaving = spawnThread(({ serve }) => serve(() => process.exit(9)), { name: 'leaving' })
          await println([await leaving.call(1).catch((error: any) => error.data.exit), await leaving.exited])
          await println(await steady.call(41))`,
        ...helpers,
      }),
    )
    expect(facts).toEqual([
      expect.objectContaining({ message: 'out', address: '/crash' }),
      [['offline', true], true],
      [{ signal: 'SIGKILL' }, 'offline', true],
      [{ code: 9 }, { code: 9 }],
      42,
    ])
  })

  it('P30 P51 have a console, signals and an end of their own', async ({ lab }) => {
    const outcome = await lab.run(
      lab.program(ts`
        import { println, spawnThread } from 'wat-vm'
        const child = spawnThread(async ({ self, serve, println }) => {
          console.log('log %d', 1)
          console.error('error')
          process.stdout.write('no newline')
          self.onStop(() => println('hook'))
          process.on('SIGUSR2', () => void println('usr2'))
          await serve((n: number) => n)
        }, { name: 'child' })
        await child.ready
        child.signal('SIGUSR2')
        await println(await child.stdout.recv())
        child.signal('SIGTERM')
        await println([await child.stdout.recv(), await child.exited, child.signal('SIGTERM')])
        process.chdir('/')
        const here = spawnThread(({ println }) => println([process.cwd(), process.argv.length, process.env.WAT_THREAD === undefined]), { name: 'here', args: ['a'] })
        await println(await here.stdout.recv())`),
    )
    expect(outcome.stdout).toBe('"usr2"\n["hook" {:code 0} false]\n["/" 3 true]\n')
    expect(outcome.code).toBe(0)
    for (const text of ['"log 1"', '"error"', '"no newline"']) expect(outcome.stderr).toContain(text)
  })

  it('P38 P51 come and go without leaving anything', async ({ lab }) => {
    const [before, after] = await lab.facts(
      lab.program(ts`
        import { readdirSync } from 'node:fs'
        import { println, spawnThread } from 'wat-vm'
        const cycle = async () => {
          const thread = spawnThread<number, number>(({ serve }) => serve((n: number) => n))
          await thread.call(1)
          await thread.stop()
        }
        const measure = () => {
          globalThis.gc?.()
          return { fds: readdirSync('/proc/self/fd').length, tasks: readdirSync('/proc/self/task').length,
            resources: process.getActiveResourcesInfo().length, rss: process.memoryUsage.rss() / 2 ** 20 }
        }
        for (let n = 0; n < 10; n++) await cycle()
        await println(measure())
        for (let n = 0; n < 40; n++) await cycle()
        await println(measure())`),
      { env: { NODE_OPTIONS: '--expose-gc' } },
    )
    expect(after.fds).toBeLessThanOrEqual(before.fds)
    expect(after.tasks).toBeLessThanOrEqual(before.tasks)
    expect(after.resources).toBeLessThanOrEqual(before.resources)
    expect(after.rss - before.rss).toBeLessThan(60)
  })
})
