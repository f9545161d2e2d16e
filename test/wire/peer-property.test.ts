import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import { CALL_WINDOW_BYTES, HIGH_WATER_BYTES, VALUE_WINDOW_BYTES } from '../../runtime/wire/limits.ts'
import { pair, type End, type Pair } from '../support/pair.ts'
import { Caller, clock, pause, playAny, PLAY_TIMEOUT_MS, wait, type Pause } from '../support/playing.ts'
import { checkLoads, expectNothingLeft, fakeTimers } from '../support/settling.ts'
import { World } from '../support/world.ts'

const MAX_FRAME = 200_000

fakeTimers({ mayStay: true })

/** What a handler does with a request. */
type Way = 'now' | 'later' | 'never' | 'throws' | 'rejects' | 'back'

/** One thing that one of the sides does. */
type Operation =
  | { what: 'call'; way: Way; size: number; timeout?: number; abort?: number }
  | { what: 'send' | 'trySend'; size: number }
  | { what: 'recv' | 'close' | 'refuse' | 'end' | 'upgrade' | 'cut' }
  | Pause

interface Step {
  side: 0 | 1
  operation: Operation
}

interface Setting {
  seed: number
  protocol: 1 | 2
  capacity: number
  chunk: number
  sync: boolean
  retry: boolean
  concurrency: number
  maxInFlight: number | undefined
  /** Which sides serve, and before which step. */
  serve: (number | undefined)[]
}

const way = fc.constantFrom<Way[]>('now', 'later', 'never', 'throws', 'rejects', 'back')
const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(20) },
  { weight: 2, arbitrary: fc.nat(5000) },
  { weight: 1, arbitrary: fc.nat(100_000) },
)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record(
      {
        what: fc.constant('call' as const),
        way,
        size,
        timeout: fc.nat(50),
        abort: fc.nat(20),
      },
      { requiredKeys: ['what', 'way', 'size'] },
    ),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constantFrom('send' as const, 'trySend' as const), size }) },
  { weight: 6, arbitrary: fc.constant({ what: 'recv' as const }) },
  { weight: 6, arbitrary: wait },
  { weight: 3, arbitrary: clock },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom(
        'close' as const,
        'refuse' as const,
        'end' as const,
        'upgrade' as const,
        'cut' as const,
      ),
    }),
  },
)

const step: fc.Arbitrary<Step> = fc.record({ side: fc.constantFrom(0 as const, 1 as const), operation })

const setting: fc.Arbitrary<Setting> = fc.record({
  seed: fc.nat(),
  protocol: fc.constantFrom(1 as const, 2 as const),
  capacity: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 100, max: 200_000 })),
  chunk: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 64 * 1024 })),
  sync: fc.boolean(),
  retry: fc.boolean(),
  concurrency: fc.constantFrom(1, 2, 256),
  maxInFlight: fc.constantFrom(undefined, undefined, 1, 3),
  serve: fc.tuple(fc.option(fc.nat(20), { nil: undefined }), fc.option(fc.nat(20), { nil: undefined })),
})

/** `overloaded`: more than a frame of requests waits for one that does not serve yet. */
const MAY_FAIL = new Set(['timeout', 'cancelled', 'offline', 'no-handler', 'overloaded'])

/** What one side has done and seen. */
class Side extends Caller {
  readonly end: End
  readonly other: () => Side
  readonly world: World
  /** Plain values that were sent, and those that have come: to a reader, and then to a handler. */
  readonly sent: number[] = []
  readonly read: number[] = []
  readonly handled: number[] = []
  /** Requests in the order in which their handlers have begun. */
  readonly begun: number[] = []
  /** All that have come. What was read is told of by a promise, so a handler may begin with the next one before. */
  get received(): number[] {
    return [...this.read, ...this.handled]
  }

  serving = false
  closed = false
  #calls = 0
  #free: (() => void)[] = []
  #freed = false

  constructor(world: World, end: End, other: () => Side) {
    super()
    this.world = world
    this.end = end
    this.other = other
  }

  serve(concurrency: number): void {
    if (this.serving) return
    this.serving = true
    this.end.peer.serve((body: unknown) => this.#handle(body), concurrency)
  }

  /** What would never settle does, so that the end can be seen. */
  free(): void {
    this.#freed = true
    for (const resolve of this.#free.splice(0)) resolve()
  }

  call(way: Way, size: number, options: { timeout?: number; abort?: number }): void {
    const n = this.#calls++
    const { timeout, abort } = options
    const promise = this.end.peer.calls.call(
      { n, way, text: text(size) },
      {
        ...(timeout !== undefined && { timeout }),
        ...(abort !== undefined && { signal: this.abortAfter(abort) }),
      },
    )
    this.follow(
      promise,
      (reply: { n: number }) => (reply.n === n ? undefined : `a reply to ${reply.n} for ${n}`),
      (error: WatError) => {
        const own = way === 'back' || (way !== 'now' && error.message.endsWith(`handler of ${n}`))
        return (error.code === 'handler' ? own : MAY_FAIL.has(error.code)) ? undefined : error
      },
    )
  }

  send(size: number): void {
    const n = this.sent.length
    if (!this.end.peer.outgoing.closed) this.sent.push(n)
    this.promises.push(this.end.peer.outgoing.send([n, text(size)]).catch(() => {}))
  }

  trySend(size: number): void {
    if (this.end.peer.outgoing.trySend([this.sent.length, text(size)]) === 'sent')
      this.sent.push(this.sent.length)
  }

  recv(): void {
    const note = (value: unknown) => {
      if (Array.isArray(value)) this.read.push(value[0] as number)
    }
    this.promises.push(this.end.peer.incoming.recv().then(note))
  }

  async #handle(body: unknown): Promise<unknown> {
    if (Array.isArray(body)) {
      this.handled.push(body[0] as number)
      return null // an answer in its own right, which nobody counts
    }
    const { n, way } = body as { n: number; way: Way }
    this.begun.push(n)
    if (way === 'throws') throw new Error(`the handler of ${n}`)
    if (way === 'later') await new Promise<void>(resolve => this.world.post(resolve))
    if (way === 'rejects') await Promise.reject(new Error(`the handler of ${n}`))
    if (way === 'never' && !this.#freed) await new Promise<void>(resolve => this.#free.push(resolve))
    if (way === 'back') await this.end.peer.calls.call({ n: -1, way: 'now', text: '' }).catch(() => {})
    return { n }
  }
}

function text(size: number): string {
  return 'aö€😀'.repeat(Math.ceil(size / 10))
}

/** Plays a program on two peers, and checks what must hold at every moment and at the end. */
async function play(steps: Step[], setting: Setting): Promise<void> {
  const world = new World(setting.seed)
  // Many bytes go in larger pieces: what is different is seen within some hundred of them.
  const bytes = steps.reduce((sum, { operation }) => sum + 20 + ('size' in operation ? operation.size : 0), 0)
  const [capacity, chunk] = [setting.capacity, setting.chunk].map(n => Math.max(n, Math.ceil(bytes / 200)))
  const link = pair(world, { ...setting, capacity, chunk, maxFrame: MAX_FRAME })
  const sides: Side[] = [link.a, link.b].map(
    (end, n): Side => new Side(world, end, () => sides[1 - n] as Side),
  )
  // What is held: credit and one frame, and besides what the program itself has sent without waiting.
  world.check = () => {
    checkLoads(world, [link.a, link.b])
    for (const { end } of sides) {
      const { incoming, answers } = end.peer
      const held = incoming.bytes + answers.waitingBytes
      if (held > CALL_WINDOW_BYTES + VALUE_WINDOW_BYTES + 3 * MAX_FRAME + HIGH_WATER_BYTES)
        throw new Error(`holds ${held}`)
      if ((end.peer.load.unordered as number) > setting.concurrency) throw new Error('too many answers wait')
    }
  }
  let [cut, upgraded] = [false, false]
  const served = () => setting.serve.map((at, n) => at !== undefined && sides[n]!.serving)
  for (const [at, { side: n, operation }] of steps.entries()) {
    for (const [m, first] of setting.serve.entries()) {
      // Two that both answer plain values would answer each other for ever.
      if (first === at && (m === 0 || !served()[0])) sides[m]?.serve(setting.concurrency)
    }
    const side = sides[n] as Side
    side.step()
    switch (operation.what) {
      case 'call':
        side.call(operation.way, operation.size, operation)
        break
      case 'send':
        side.send(operation.size)
        break
      case 'trySend':
        side.trySend(operation.size)
        break
      case 'recv':
        side.recv()
        break
      case 'close':
        side.closed = true
        side.end.peer.incoming.close()
        break
      case 'refuse':
        side.closed = true
        side.end.peer.refuse()
        break
      case 'end':
        side.promises.push(side.end.peer.outgoing.end())
        break
      case 'upgrade':
        // One side tells the other, once.
        if (setting.protocol === 1 && !upgraded) link.a.upgrade()
        upgraded = true
        break
      case 'cut':
        cut = true
        link.cut()
        break
      case 'wait':
      case 'clock':
        await pause(world, operation)
    }
  }
  await world.rest()
  for (const side of sides) {
    side.free()
    side.abortAll()
  }
  vi.advanceTimersByTime(1000)
  await world.rest()
  if (!cut) {
    await readAll(sides, setting)
    expect(sides.flatMap(({ end }) => end.faults)).toEqual([])
  }
  order(sides, setting)
  if (!cut) link.cut()
  await world.rest()
  await finish(link, sides, setting)
}

/** What was sent comes, all of it, to those who still take it. */
async function readAll(sides: Side[], { protocol }: Setting): Promise<void> {
  const { world } = sides[0] as Side
  for (let moved = true; moved;) {
    moved = false
    for (const side of sides) {
      if (side.end.peer.incoming.bytes === 0) continue
      moved = true
      side.recv()
      await world.rest()
    }
  }
  for (const side of sides) {
    // A program may wait for itself: all places taken by handlers that wait for one on the other side. Without
    // credit requests that nobody handles hold up what is behind them, and so do two that serve and are full.
    const stuck = protocol === 1 ? sides : [side]
    if (side.closed || stuck.some(({ end }) => end.peer.load.waiting !== 0)) continue
    if (protocol === 1 && sides.every(({ serving }) => serving)) continue
    expect(side.received).toEqual(side.other().sent)
  }
}

/** Everything has settled once, as it should, and nothing is left. */
async function finish({ a, b }: Pair, sides: Side[], setting: Setting): Promise<void> {
  const { world } = sides[0] as Side
  for (const { end } of sides) end.peer.incoming.close()
  await world.until(Promise.all(sides.flatMap(({ promises }) => promises)))
  expect(sides.flatMap(({ wrongs }) => wrongs)).toEqual([])
  order(sides, setting)
  expectNothingLeft(a, b)
  expect(vi.getTimerCount()).toBe(0)
}

/** Plain values come in their order, none twice, and none is missing before the last that has come. */
function order(sides: Side[], { concurrency }: Setting): void {
  for (const side of sides) {
    const { sent } = side.other()
    const ascending = side.received.every((n, at) => at === 0 || n > (side.received[at - 1] as number))
    expect(ascending).toBe(true)
    // Who closes and serves later has dropped some between.
    if (!side.closed) expect(side.received).toEqual(sent.slice(0, side.received.length))
    // One at a time, what came first begins first; those that call back say nothing of their order.
    const begun = side.begun.filter(n => n >= 0)
    if (concurrency === 1) expect(begun).toEqual([...begun].sort((one, two) => one - two))
    expect(new Set(begun).size).toBe(begun.length)
  }
}

describe('P81 two peers', () => {
  test(
    'P81 whatever they do, each call settles once, values come in order, and nothing is left',
    () => playAny(step, setting, play),
    PLAY_TIMEOUT_MS,
  )

  test('P81 the same seed gives the same run', async () => {
    const run = async () => {
      const world = new World(42)
      const { a, b, ab } = pair(world, { capacity: 100, chunk: 20 })
      b.peer.serve((n: number) => n, 3)
      await world.until(Promise.all(Array.from({ length: 50 }, (_, n) => a.peer.calls.call(n))))
      return [world.steps, ab.delivered]
    }
    expect(await run()).toEqual(await run())
  })
})
