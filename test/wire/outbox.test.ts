import { describe, expect, it, ts } from '../support/lab.ts'
import { WatError } from '../../runtime/error.ts'
import { writeValue } from '../../runtime/wire/frames.ts'
import { Outbox } from '../../runtime/wire/outbox.ts'
import type { Sink } from '../../runtime/io/pipe.ts'

const gone = new WatError('offline', 'gone')
const MAX_FRAME = 1 << 20

type Done = (error?: Error) => void

/** A sink that settles its writes when it is told to, or never. */
class Slow implements Sink {
  readonly writes: Done[] = []
  readonly ends: (() => void)[] = []
  /** What `close` does to a write under way. */
  readonly #onClose: (writes: Done[]) => void

  constructor(onClose: (writes: Done[]) => void = () => {}) {
    this.#onClose = onClose
  }

  write(_chunks: Uint8Array[], done: Done): void {
    this.writes.push(done)
  }

  writeSync(): void {}

  end(done: () => void): void {
    this.ends.push(done)
  }

  close(): void {
    this.#onClose(this.writes)
  }
}

const epipe = Object.assign(new Error('broken'), { code: 'EPIPE' })

/** What befalls an outbox with one batch in flight and one that waits, in this order. */
const orders = {
  abort: ['abort'],
  'abort, then the error of the sink': ['abort', 'error'],
  'abort, then the sink has taken it all the same': ['abort', 'done'],
  'the error of the sink, then abort': ['error', 'abort'],
  'the first is taken, then abort': ['done', 'abort'],
  'the first is taken, the second fails, then abort': ['done', 'error', 'abort'],
  'abort twice': ['abort', 'abort'],
}

describe('an outbox settles every promise that it gave', () => {
  for (const [title, events] of Object.entries(orders)) {
    for (const [closing, onClose] of [
      ['says nothing', () => {}],
      ['fails its write at once', (writes: Done[]) => writes.shift()?.(epipe)],
      ['fails its write later', (writes: Done[]) => queueMicrotask(() => writes.shift()?.(epipe))],
    ] as const) {
      it(`P13 ${title}; a sink that when closed ${closing}`, async () => {
        const sink = new Slow(onClose)
        let broken = 0
        const outbox = new Outbox(
          () => {},
          () => broken++,
        )
        outbox.attach(sink)
        const send = () =>
          outbox.send(writeValue, 'x', MAX_FRAME).then(
            () => 'taken',
            (error: WatError) => error,
          )
        const first = send()
        outbox.flush()
        const second = send()
        const end = outbox.end()
        const third = send()
        for (const event of events) {
          if (event === 'abort') outbox.abort(gone)
          else sink.writes.shift()?.(event === 'error' ? epipe : undefined)
          await Promise.resolve()
        }
        const taken = events[0] === 'done'
        expect(await Promise.all([first, second])).toEqual([taken ? 'taken' : gone, gone])
        expect(await third).toMatchObject({ code: 'offline' })
        await end
        await outbox.end()
        // Nobody is told of what the sink does to an outbox that was given up.
        expect(broken).toBe(
          events.includes('error') && events.indexOf('error') < events.indexOf('abort') ? 1 : 0,
        )
        expect(outbox.queued).toBe(0)
      })
    }
  }

  it('P13 a sink whose end never comes: end settles with abort, asked once or twice', async () => {
    const sink = new Slow()
    const outbox = new Outbox(
      () => {},
      () => {},
    )
    outbox.attach(sink)
    let ended = 0
    const ends = [outbox.end(), outbox.end()].map(end => end.then(() => ended++))
    await new Promise(resolve => setImmediate(resolve))
    expect(ended).toBe(0)
    expect(sink.ends).toHaveLength(1)
    outbox.abort(gone)
    await Promise.all(ends)
    sink.ends[0]?.()
    expect(ended).toBe(2)
  })
})

describe('a kill in the midst of a send', () => {
  const kills = (spawn: string) => ts`
    import { println, ${spawn} } from 'wat-vm'
    const text = 'x'.repeat(300_000)
    const outcomes = new Map<string, number>()
    for (let round = 0; round < 25; round++) {
      const child = ${spawn}(async ({ readln }: any) => { await readln(); setInterval(() => {}, 1000) }, { name: 'deaf' })
      if (round % 2) await child.ready // a boot takes longer than all of these kills
      const sends = [1, 2, 3].map(() => child.stdin.send(text).then(() => 'taken', (error: any) => error.code))
      const ended = child.stdin.end().then(() => 'ended')
      await new Promise(resolve => setTimeout(resolve, (round * 7) % 20))
      await child.kill()
      for (const outcome of await Promise.all([...sends, ended])) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    await println([outcomes.get('ended'), [...outcomes.values()].reduce((sum, n) => sum + n)])`
  for (const spawn of ['spawnThread', 'spawnProcess']) {
    it(`P13 ${spawn}: each send and end settles, whenever the kill comes`, async ({ lab }) => {
      expect(await lab.facts(lab.program(kills(spawn)))).toEqual([[25, 100]])
    })
  }
})
