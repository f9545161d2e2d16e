import path from 'node:path'
import { dial } from '../../runtime/net/dial.ts'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { fixture, wat } from '../support/machine.ts'
import { peakMiB } from '../support/proc.ts'
import { secretFile } from '../tiers/tiers.ts'

/** Four times as much takes about four times as long; what is quadratic takes sixteen times. */
const TIMES = 4
const MOST_TIMES = 10
/** A time below this is noise, whatever it is compared with. */
const NOISE_MS = 150
const TRIES = 3

/** Fails unless `measure` is in proportion; a busy machine gets more than one try. */
async function inProportion(size: number, measure: (size: number) => Promise<number>): Promise<void> {
  const ratios: number[] = []
  for (let n = 0; n < TRIES; n++) {
    const small = await measure(size)
    const large = await measure(TIMES * size)
    ratios.push(large / Math.max(small, NOISE_MS / TIMES))
    if (ratios.at(-1)! < MOST_TIMES) return
  }
  throw new Error(`${TIMES} times as much took ${ratios.join(', ')} times as long`)
}

/** The milliseconds that a program says it took, with the size as its argument. */
function told(lab: Lab, source: string | Record<string, string>): (size: number) => Promise<number> {
  const program = lab.program(source)
  return async size => (await lab.facts<number>(program, { args: [String(size)] }))[0]!
}

describe('time in proportion', () => {
  it('P67 P27 calls, sent and waiting, that one signal cancels, without a warning', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess<number, number>({ command: 'sleep', args: ['60'] }, { stopGrace: 200 })
      const controller = new AbortController()
      const calls = Array.from({ length: Number(self.args[0]) }, (_, n) => child.call(n, { signal: controller.signal }))
      const all = Promise.allSettled(calls)
      const started = performance.now()
      controller.abort()
      const codes = new Set((await all).map((one: any) => one.reason.code))
      await println(performance.now() - started)
      await println([...codes])
      await child.stop()`)
    await inProportion(15_000, async size => {
      const { stdout, stderr } = await lab.run(program, { args: [String(size)] })
      expect(stderr).not.toContain('MaxListeners')
      const [ms, codes] = stdout.trim().split('\n')
      expect(codes).toBe('["cancelled"]')
      return Number(ms)
    })
  }, 120_000)

  it('P67 P26 calls that begin with one signal, wait for a place and are answered', async ({ lab }) => {
    await inProportion(
      15_000,
      told(lab, {
        'parent.ts': ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess<number, number>(new URL('./echo.ts', import.meta.url), { maxInFlight: 1000 })
      await child.call(1)
      const { signal } = new AbortController()
      const started = performance.now()
      await Promise.all(Array.from({ length: Number(self.args[0]) }, (_, n) => child.call(n, { signal, timeout: 1e5 })))
      await println(performance.now() - started)`,
        'echo.ts': ts`
      import { serve } from 'wat-vm'
      await serve(n => n)`,
      }),
    )
  }, 120_000)

  it('P67 P27 requests that wait and are cancelled one by one', async ({ lab }) => {
    const program = lab.program(ts`
      import { self, serve } from 'wat-vm'
      const size = Number(self.args[0])
      const open: (() => void)[] = []
      await serve((body: any) => {
        if (body === 'go') return open.forEach(answer => answer())
        return new Promise<any>(resolve => open.push(() => resolve(1)))
      }, { concurrency: size })`)
    await inProportion(15_000, async size => {
      const live = lab.start(program, { args: [String(size)] })
      const ids = Array.from({ length: size }, (_, n) => n + 1)
      await live.writeAll(ids.map(id => `#wat/req [${id} 1]\n`).join(''))
      await live.writeAll(
        ids
          .slice(1)
          .map(id => `#wat/req [${size + id} 1]\n`)
          .join(''),
      )
      const started = performance.now()
      await live.writeAll(
        ids
          .slice(1)
          .toReversed()
          .map(id => `#wat/cancel [${size + id}]\n`)
          .join(''),
      )
      await live.writeAll(ids.map(id => `#wat/cancel [${id}]\n`).join(''))
      live.signal('SIGKILL')
      await live.ended
      return performance.now() - started
    })
  }, 120_000)

  it('P67 values that many wait for', async ({ lab }) => {
    await inProportion(
      30_000,
      told(lab, {
        'parent.ts': ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const size = Number(self.args[0])
      const child = spawnProcess(new URL('./prints.ts', import.meta.url), { args: [String(size)] })
      await child.ready
      const started = performance.now()
      await Promise.all(Array.from({ length: size }, () => child.stdout.recv()))
      await println(performance.now() - started)`,
        'prints.ts': ts`
      import { println, self } from 'wat-vm'
      for (let n = 0; n < Number(self.args[0]); n++) println(n)`,
      }),
    )
  }, 120_000)

  it('P67 P49 a control lane in pieces of one byte; a host serves others meanwhile', async ({ lab }) => {
    const socket = path.join(lab.folder(), 's')
    const secret = secretFile(lab)
    const host = lab.command(wat, ['host', `unix:${socket}`, '--secret', secret])
    expect(await host.stdout.value()).toBe(`unix:${socket}`)
    const feed = async (size: number) => {
      const bytes = Buffer.alloc(6 * size, Buffer.from([0, 0, 0, 0, 1, 97]))
      const stream = await dial(`unix:${socket}`, { secret })
      const closed = new Promise(resolve => stream.once('close', resolve))
      const started = performance.now()
      stream.resume().once('end', () => stream.end())
      stream.end(Buffer.concat([bytes, Buffer.from([0, 0, 0, 0, 2, 41, 10])])) // a line that is no form is its end
      await closed
      return performance.now() - started
    }
    await inProportion(250_000, feed)
    const fed = feed(1_000_000)
    const program = lab.program(ts`
      import { println, self, spawnRemote } from 'wat-vm'
      const [at, secret, program] = self.args as [string, string, string]
      const started = performance.now()
      await println(await spawnRemote<number, number>(program, { at, secret }).call(21))
      await println(performance.now() - started)`)
    const [value, ms] = await lab.facts(program, { args: [`unix:${socket}`, secret, fixture('double.ts')] })
    expect([value, ms < 10_000]).toEqual([42, true])
    await fed
    expect(peakMiB(host.pid)).toBeLessThan(250)
    host.signal('SIGTERM')
    await host.ended
  }, 120_000)

  it('P67 P30 what a launcher says while its process is within a line: all of it arrives, and memory is bounded', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const [node, launcher, program, size] = self.args as [string, string, string, string]
      const child = spawnProcess(program, { via: [node, '--no-warnings', launcher, size], stderr: 'pipe', stopGrace: 200 })
      child.exited.catch(() => {})
      const started = performance.now()
      let notes = 0
      for await (const { value } of child.stderr) {
        if ((value as any).startsWith?.('note')) notes++
        if (notes === Number(size)) break
      }
      await println(performance.now() - started)
      await println(notes)
      await println(process.resourceUsage().maxRSS / 1024)
      await child.kill()`)
    const sizes = 40_000 // 4 MB of notes, four times what is held
    await inProportion(sizes, async size => {
      const args = [process.execPath, fixture('floods-notes.ts'), fixture('double.ts'), String(size)]
      const [ms, notes, peak] = await lab.facts<number>(program, { args })
      expect([notes, peak! < 250]).toEqual([size, true])
      return ms!
    })
  }, 120_000)

  it('P67 P11 faults of its own input are told in full, then now and then, and the exit code is 65', async ({
    lab,
  }) => {
    for (const flood of [']\n', '#wat/what 1\n', '#wat/rep [1 2]\n']) {
      const { code, stdout, stderr } = await lab.run(fixture('double.ts'), {
        input: `${flood.repeat(50_000)}21\n`,
      })
      expect([code, stdout]).toEqual([65, '42\n'])
      expect(stderr.match(/^#wat\/fault /gm)).toHaveLength(10 + 12)
      expect(stderr).toContain('(fault number 32768)')
    }
  })

  it('P67 P11 P50 the same of a client of listen', async ({ lab }) => {
    const secret = secretFile(lab)
    const live = lab.start(
      lab.program(ts`
      import { listen, println, self } from 'wat-vm'
      const listener = await listen('tcp://127.0.0.1:0', n => n, { secret: self.args[0] })
      await println(listener.address)`),
      { args: [secret] },
    )
    const stream = await dial((await live.stdout.value<string>())!, { secret })
    const closed = new Promise(resolve => stream.once('close', resolve))
    stream.resume().once('end', () => stream.end())
    stream.end(']\n'.repeat(50_000))
    await closed
    live.signal('SIGTERM')
    const { stderr } = await live.ended
    expect(stderr.match(/^#wat\/fault /gm)).toHaveLength(10 + 12)
  })
})
