import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { WatError } from '../../runtime/error.ts'
import type { Request } from '../../runtime/wire/handler.ts'
import { CALL_PLACES, MAX_REFS } from '../../runtime/wire/limits.ts'
import { Ref } from '../../runtime/wire/refs/ref.ts'
import { relayTo } from '../../runtime/wire/refs/relay.ts'
import type { Service } from '../../runtime/wire/service.ts'
import { serviceOf } from '../../runtime/wire/service-of.ts'
import { pair, Stranger, type End, type EndOptions, type Pair } from '../support/pair.ts'
import type { MemoryPipeOptions } from '../support/memory-pipe.ts'
import { made } from '../support/refs.ts'
import { expectIdle, expectNothingLeft, fakeTimers, gate, never, outcome } from '../support/settling.ts'
import { seeds, World } from '../support/world.ts'

fakeTimers()

/** Three processes in a row: `b` has a link to each of the others. */
interface Row {
  world: World
  a: End
  b: { up: End; down: End }
  c: End
  ends: End[]
  ab: Pair
  bc: Pair
}

function row(world: World, options: EndOptions & MemoryPipeOptions = {}): Row {
  const [ab, bc] = [pair(world, options), pair(world, options)]
  const b = { up: ab.b, down: bc.a }
  return { world, a: ab.a, b, c: bc.b, ends: [ab.a, ab.b, bc.a, bc.b], ab, bc }
}

/** Serves: keeps what comes, and gives on what it is asked for. */
class Keeper {
  readonly kept: Ref[] = []
  readonly handle = (body: any): unknown => {
    if (body instanceof Ref) this.kept.push(body)
    else if (Array.isArray(body)) this.kept.push(...body.filter(item => item instanceof Ref))
    return body === 'last' ? this.kept.at(-1) : null
  }

  constructor(end: End) {
    end.peer.serve(this.handle, 256)
  }

  get last(): Ref {
    return this.kept.at(-1) as Ref
  }

  releaseAll(): void {
    for (const ref of this.kept.splice(0)) ref.release()
  }
}

/** `c` serves `handler`'s reference to `a`, by way of `b`, which passes everything on. */
function lead({ b, c }: Row, service: Service | ((body: any, request: Request) => unknown)): void {
  if (typeof service === 'function') c.peer.serve(service, 256)
  else c.peer.serveWith(service)
  b.up.peer.serveWith(relayTo({ call: (body, options) => b.down.peer.calls.call(body, options) }))
}

/** Resolves when it is given up. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))

describe('what is given', () => {
  test.each(seeds)('P83 is called from where it came to, and there alone (seed %d)', async seed => {
    const world = new World(seed)
    const { a, b } = pair(world, { chunk: 7, capacity: 50 })
    const keeper = new Keeper(b)
    const one = made((x: number) => x + 1)
    await world.until(a.peer.calls.call([one, { deep: new Map([[1, [one]]]) }]))
    expect(keeper.last).toBeInstanceOf(Ref)
    expect(keeper.last.address).toBe('/maker')
    expect(await world.until(keeper.last.call(1))).toBe(2)
    expect([a.peer.load.exports, b.peer.load.imports, b.peer.load.exports]).toEqual([1, 1, 0])
    keeper.releaseAll()
    await world.rest()
    expectIdle(a, b)
  })

  test.each(seeds)(
    'P83 arrives as the same object each time, and at home as itself (seed %d)',
    async seed => {
      const world = new World(seed)
      const { a, b } = pair(world, { chunk: 7 })
      const keeper = new Keeper(b)
      const mine = made(() => 1)
      await world.until(a.peer.calls.call([mine, mine]))
      await world.until(a.peer.calls.call(mine))
      expect(keeper.kept).toHaveLength(3)
      expect(new Set(keeper.kept).size).toBe(1)
      expect(await world.until(a.peer.calls.call('last'))).toBe(mine)
      const back: unknown[] = []
      a.peer.serve((body: unknown) => void back.push(body), 1)
      await world.until(b.peer.calls.call({ it: keeper.last }))
      expect((back[0] as { it: unknown }).it).toBe(mine)
      expect(a.peer.load.imports).toBe(0)
      keeper.releaseAll()
      await world.rest()
      expectIdle(a, b)
    },
  )

  test.each(seeds)('P83 goes on from process to process, and home the same way (seed %d)', async seed => {
    const world = new World(seed)
    const all = row(world, { chunk: 9 })
    const keeper = new Keeper(all.c)
    all.b.up.peer.serveWith(relayTo({ call: (body, o) => all.b.down.peer.calls.call(body, o) }))
    const mine = made((x: number) => x * 2, { address: '/far' })
    await world.until(all.a.peer.calls.call([mine]))
    await world.until(all.a.peer.calls.call([mine]))
    expect(keeper.kept[0]).toBe(keeper.kept[1])
    expect(keeper.last.address).toBe('/far')
    expect(await world.until(keeper.last.call(21))).toBe(42)
    expect(await world.until(all.a.peer.calls.call('last'))).toBe(mine)
    // What only passes is held by nobody in between but for those who have it beyond.
    expect(all.ends.map(({ peer }) => [peer.load.exports, peer.load.imports])).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ])
    keeper.releaseAll()
    await world.rest()
    expectIdle(...all.ends)
  })

  test.each(seeds)('P83 is called in the order of the calls, over a relay, too (seed %d)', async seed => {
    const world = new World(seed)
    const all = row(world, { chunk: 30 })
    const keeper = new Keeper(all.c)
    all.b.up.peer.serveWith(relayTo({ call: (body, o) => all.b.down.peer.calls.call(body, o) }))
    const begun: number[] = []
    const target = async (n: number) => {
      begun.push(n)
      await new Promise<void>(resolve => world.post(resolve))
    }
    await world.until(all.a.peer.calls.call(made(target, { concurrency: 3 })))
    const ref = keeper.last
    // More than there are places, so that some wait at every party.
    await world.until(Promise.all(Array.from({ length: 2 * CALL_PLACES }, (_, n) => ref.call(n))))
    expect(begun).toEqual(begun.map((_, n) => n))
    expect(begun).toHaveLength(2 * CALL_PLACES)
    keeper.releaseAll()
    await world.rest()
    expectIdle(...all.ends)
  })

  test('P83 is what stands there, also where a getter of the body gives something else meanwhile', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const bodies: any[] = []
    b.peer.serve((body: unknown) => void bodies.push(body), 10)
    const [one, two, three] = [1, 2, 3].map(n => made(() => n)) as [Ref, Ref, Ref]
    let inner: Promise<unknown> | undefined
    const outer = a.peer.calls.call({
      one,
      get between() {
        inner = a.peer.calls.call({ two })
        return 0
      },
      three,
    })
    // One that is being written cannot send another. That must not take the place of what it has carried so far.
    expect(await world.until(Promise.all([outer, outcome(inner!)]))).toEqual([null, 'denied'])
    const [whole] = bodies
    const asked = [whole.one, whole.three].map((ref: Ref) => ref.call(null))
    expect(await world.until(Promise.all(asked))).toEqual([1, 3])
    for (const ref of [whole.one, whole.three]) ref.release()
    await world.rest()
    expectIdle(a, b)
  })

  test('P85 what is given goes before what is sent, with its references', async () => {
    const world = new World(1)
    const { a, b } = pair(world, {}, { takesGiven: true })
    a.peer.give({ twice: made((n: number) => 2 * n), n: 1 })
    await world.rest()
    const [given] = b.givens as [{ twice: Ref; n: number }]
    expect([given.n, await world.until(given.twice.call(4))]).toEqual([1, 8])
    given.twice.release()
    await world.rest()
    expectIdle(a, b)
  })

  test('P83 is refused where the other side knows no references, and nothing of it is left', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { protocol: 1 })
    b.peer.serve(() => made(() => 1), 1)
    expect(await world.until(outcome(a.peer.calls.call(made(() => 1))))).toBe('encode')
    expect(await world.until(outcome(a.peer.calls.call(null)))).toBe('encode')
    expectIdle(a, b)
  })
})

describe('holds', () => {
  test.each(seeds)('P84 each arrival and each dup is one, and the last ends it (seed %d)', async seed => {
    const world = new World(seed)
    const { a, b } = pair(world, { chunk: 11 })
    let disposed = 0
    const keeper = new Keeper(b)
    const mine = made(() => 1, { dispose: () => disposed++ })
    for (let n = 0; n < 3; n++) await world.until(a.peer.calls.call(mine))
    const { last } = keeper
    last.dup()
    for (let n = 0; n < 3; n++) {
      last.release()
      await world.rest()
      expect(await world.until(last.call(0))).toBe(1)
    }
    expect([disposed, a.peer.load.exports]).toEqual([0, 1])
    last.release()
    expect(await outcome(last.call(0))).toBe('denied')
    await world.rest()
    expect([disposed, (await mine.closed).code]).toEqual([1, 'denied'])
    last.release() // once too often: nothing
    await world.rest()
    expect(disposed).toBe(1)
    expectIdle(a, b)
  })

  test('P84 who made it may hold it, too', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    let disposed = 0
    const keeper = new Keeper(b)
    const mine = made(() => 1, { dispose: () => disposed++ }).dup()
    await world.until(a.peer.calls.call(mine))
    keeper.releaseAll()
    await world.rest()
    expect([disposed, await world.until(mine.call(0)), a.peer.load.exports]).toEqual([0, 1, 0])
    await world.until(a.peer.calls.call(mine)) // again, under another number
    expect(await world.until(keeper.last.call(0))).toBe(1)
    mine.release()
    keeper.releaseAll()
    await world.rest()
    expect(disposed).toBe(1)
    expectIdle(a, b)
  })

  test.each(seeds)('P84 P86 one that is released as it comes again stays (seed %d)', async seed => {
    const world = new World(seed)
    const { a, b } = pair(world, { chunk: 5, capacity: 20 })
    let disposed = 0
    const keeper = new Keeper(b)
    const mine = made((n: number) => n, { dispose: () => disposed++ })
    await world.until(a.peer.calls.call(mine))
    for (let n = 0; n < 20; n++) {
      const again = a.peer.calls.call(mine) // this one is on its way
      if (world.chance(0.5)) await Promise.resolve()
      keeper.kept.splice(0, 1)[0]?.release()
      await world.until(again)
      expect(await world.until(keeper.last.call(n))).toBe(n)
    }
    expect([disposed, a.peer.load.exports, b.peer.load.imports]).toEqual([0, 1, 1])
    keeper.releaseAll()
    await world.rest()
    expect(disposed).toBe(1)
    expectIdle(a, b)
  })

  test('P84 P86 a release says how often it was seen, and one that says less than was given ends nothing', async () => {
    const world = new World(1)
    const stranger = new Stranger(world)
    let disposed = 0
    const mine = made(() => 'here', { dispose: () => disposed++ })
    for (let n = 0; n < 3; n++) void stranger.peer.calls.call(mine).catch(() => {})
    await world.rest()
    const mention = '{:refs [[1 {:address "/maker"}]]} #wat/ref 0]'
    expect(stranger.lines).toEqual([1, 2, 3].map(n => `#wat/call [${n} ${mention}`))
    await stranger.write('#wat/release [1 2] #wat/call [1 {:to 1} nil]')
    expect(stranger.lines.at(-1)).toBe('#wat/rep [1 "here"]')
    await stranger.write('#wat/release [1 1] #wat/call [2 {:to 1} nil]')
    expect(stranger.lines.at(-1)).toContain('#wat/err [2 {:type :wat/denied')
    expect([disposed, stranger.peer.load.exports]).toEqual([1, 0])
    // Given once more it works no more, and says so under a number of its own.
    void stranger.peer.calls.call(mine).catch(() => {})
    await world.rest()
    expect(stranger.lines.at(-2)).toContain(':refs [[2 {')
    expect(stranger.lines.at(-1)).toContain('#wat/gone [2 {:type :wat/denied')
    expect(stranger.peer.load.exports).toBe(0)
    stranger.end.abort()
  })

  test('P84 many that are let go at once are told of in frames of bounded size', async () => {
    const world = new World(1)
    const stranger = new Stranger(world)
    const keeper = new Keeper(stranger.end)
    const mentions = Array.from({ length: 1000 }, (_, n) => `[${n + 1} {}]`).join(' ')
    const refs = Array.from({ length: 1000 }, (_, n) => `#wat/ref ${n}`).join(' ')
    await stranger.write(`#wat/call [1 {:refs [${mentions}]} [${refs}]]`)
    expect([keeper.kept.length, stranger.peer.load.imports]).toEqual([1000, 1000])
    keeper.releaseAll()
    await world.rest()
    const released = stranger.lines.filter(line => line.startsWith('#wat/release'))
    expect(released).toHaveLength(8)
    for (const line of released) expect(line.length).toBeLessThan(4096)
    expect(released.join(' ').match(/\d+ 1\b/g)).toHaveLength(1000)
    expectIdle(stranger.end)
  })

  test.each(seeds)(
    'P84 what is under way goes on when it is let go, and what waits, too (seed %d)',
    async seed => {
      const world = new World(seed)
      const { a, b } = pair(world, { chunk: 40 })
      const keeper = new Keeper(b)
      const free = gate()
      const seen: unknown[] = []
      const target = async (n: number) => {
        expect(seen).not.toContain('disposed')
        await free.opened
        return n
      }
      const dispose = () => void seen.push('disposed')
      await world.until(a.peer.calls.call(made(target, { concurrency: 1, dispose })))
      const ref = keeper.kept.pop() as Ref
      // One is handled, some wait at the other side, and some here.
      const calls = Array.from({ length: CALL_PLACES + 20 }, (_, n) => outcome(ref.call(n)))
      ref.release()
      expect(await outcome(ref.call(0))).toBe('denied')
      await world.rest()
      expect(seen).toEqual([])
      free.open()
      expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => n))
      await world.rest()
      expect(seen).toEqual(['disposed'])
      expectIdle(a, b)
    },
  )

  test('P84 a call that is given up lets go with the others', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const keeper = new Keeper(b)
    let disposed = 0
    await world.until(a.peer.calls.call(made(never, { dispose: () => disposed++, concurrency: 1 })))
    const ref = keeper.kept.pop() as Ref
    const abort = new AbortController()
    const bad = outcome(ref.call(() => {})) // is never sent
    const calls = Array.from({ length: CALL_PLACES + 2 }, () => outcome(ref.call(1, abort)))
    const late = outcome(ref.call(1, { timeout: 10 }))
    ref.release()
    await world.rest()
    expect(disposed).toBe(0)
    abort.abort()
    vi.advanceTimersByTime(20)
    expect(new Set(await world.until(Promise.all([...calls, late, bad])))).toEqual(
      new Set(['cancelled', 'timeout', 'encode']),
    )
    await world.rest()
    expect(disposed).toBe(1)
    expect([a.peer.load.exports, b.peer.load.imports, b.peer.load.open]).toEqual([0, 0, 0])
  })
})

describe('what the program no longer has', () => {
  /** Collects all garbage, until it is so. */
  async function collectUntil(world: World, isSo: () => boolean, most = 20): Promise<void> {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    for (let n = 0; n < most && !isSo(); n++) {
      gc()
      await world.rest()
    }
  }

  /** Two ends: one gives a reference for each call, and the other has none but those of the replies. */
  function maker(world: World, target: (body: any) => unknown) {
    const { a, b } = pair(world)
    let disposed = 0
    a.peer.serve(() => made(target, { dispose: () => disposed++ }), 10)
    return { a, b, make: () => b.peer.calls.call(null) as Promise<Ref>, disposed: () => disposed }
  }

  test('P84 P86 is let go when it is collected', async () => {
    const world = new World(1)
    const { a, b, make, disposed } = maker(world, n => n)
    const calls = Array.from({ length: 50 }, async (_, n) => (await make()).call(n))
    expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => n))
    await collectUntil(world, () => disposed() === 50)
    expect(disposed()).toBe(50)
    expectIdle(a, b)
  })

  test('P84 P86 is not, before the calls on it have settled', async () => {
    const world = new World(1)
    const free = gate()
    const { a, b, make, disposed } = maker(world, n => free.opened.then(() => n))
    const calls = Array.from({ length: 50 }, async (_, n) => (await make()).call(n))
    await world.rest()
    await collectUntil(world, () => disposed() > 0, 4)
    expect([disposed(), a.peer.load.exports]).toEqual([0, 50])
    free.open()
    expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => n))
    await collectUntil(world, () => disposed() === 50)
    expectIdle(a, b)
  })

  test('P84 is not, while somebody waits for its end', async () => {
    const world = new World(1)
    const { a, b, make, disposed } = maker(world, n => n)
    const closed = await world.until(make().then(ref => ({ promise: ref.closed })))
    await collectUntil(world, () => disposed() > 0, 4)
    expect(disposed()).toBe(0)
    b.abort()
    expect((await world.until(closed.promise)).code).toBe('offline')
    a.abort()
    expect(disposed()).toBe(1)
  })
})

describe('the end of a reference', () => {
  test.each(seeds)('P84 a revoke ends what is under way, on the way and waiting (seed %d)', async seed => {
    const world = new World(seed)
    const all = row(world, { chunk: 25 })
    const keeper = new Keeper(all.c)
    all.b.up.peer.serveWith(relayTo({ call: (body, o) => all.b.down.peer.calls.call(body, o) }))
    let disposed = 0
    const aborted: unknown[] = []
    const target = (_: unknown, { signal }: Request) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push((signal.reason as WatError).code)
          reject(new Error('given up')) // as handlers do: it is no fault
        })
      })
    const mine = made(target, { concurrency: 2, name: 'mine', dispose: () => disposed++ })
    await world.until(all.a.peer.calls.call(mine))
    const told = (promise: Promise<unknown>) => promise.catch(({ code, message }) => ({ code, message }))
    const calls = [
      ...Array.from({ length: CALL_PLACES + 10 }, (_, n) => told(keeper.last.call(n))),
      ...Array.from({ length: 3 }, () => told(mine.call('at home'))),
    ]
    if (seed % 2) await world.rest()
    mine.revoke()
    mine.revoke()
    const why = { code: 'denied', message: 'mine has been revoked' }
    expect(await world.until(Promise.all(calls))).toEqual(calls.map(() => why))
    await world.rest()
    expect([disposed, aborted.every(code => code === 'denied'), aborted.length > 0]).toEqual([
      1,
      true,
      seed % 2 === 1,
    ])
    expect(await told(keeper.last.call(0))).toEqual(why)
    expect((await keeper.last.closed).message).toBe(why.message)
    expectIdle(...all.ends)
  })

  test('P84 a handler may revoke what it is called by, or let it go, and its call is over', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const keeper = new Keeper(b)
    const reasons: unknown[] = []
    const mine: Ref = made((_: unknown, { signal }: Request) => {
      mine.revoke()
      signal.addEventListener('abort', () => reasons.push(signal.reason.code))
      return never()
    })
    await world.until(a.peer.calls.call(mine))
    expect(await world.until(outcome(keeper.last.call(0)))).toBe('denied')
    await world.rest()
    expect(reasons).toEqual(['denied'])
    // It does not hold up an end.
    a.peer.refuse()
    await world.until(a.peer.answers.done)
    expect(a.peer.load.wanted).toBe(0)
  })

  test.each(seeds)('P84 a link that breaks ends what came by it, beyond it, too (seed %d)', async seed => {
    const world = new World(seed)
    const all = row(world, { chunk: 25 })
    const far = new Keeper(all.c)
    let disposed = 0
    const mine = made((_: unknown, { signal }: Request) => aborted(signal), { dispose: () => disposed++ })
    all.b.up.peer.serveWith(relayTo({ call: (body, o) => all.b.down.peer.calls.call(body, o) }))
    await world.until(all.a.peer.calls.call(mine))
    const [under, local] = [outcome(far.last.call(1)), outcome(mine.call(1))]
    await world.rest()
    all.ab.cut()
    expect(await world.until(under)).toBe('offline')
    expect(await world.until(outcome(far.last.call(1)))).toBe('offline')
    expect((await far.last.closed).code).toBe('offline')
    expect(await world.until(local)).toBe('denied')
    expect(disposed).toBe(1)
    expectNothingLeft(...all.ends)
    expect(all.ends.flatMap(end => end.lateFailures)).toEqual([])
    expect(await outcome(mine.call(1))).toBe('denied')
  })

  test('P84 one that has ended is not called any more, by those calls either that wait to be sent', async () => {
    const world = new World(1)
    const stranger = new Stranger(world)
    const keeper = new Keeper(stranger.end)
    await stranger.write('#wat/call [1 {:refs [[7 {}]]} #wat/ref 0]')
    const calls = Array.from({ length: CALL_PLACES + 5 }, (_, n) => outcome(keeper.last.call(n)))
    await world.rest()
    await stranger.write('#wat/gone [7 {:type :wat/denied :message "over"}]')
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['denied']))
    expect(stranger.lines.filter(line => line.includes(':to 7'))).toHaveLength(CALL_PLACES)
    expectIdle(stranger.end)
  })

  test('P84 one that is broken is given on, and its receiver told at once', async () => {
    const world = new World(1)
    const all = row(world)
    const [near, far] = [new Keeper(all.b.up), new Keeper(all.c)]
    const mine = made(() => 1)
    await world.until(all.a.peer.calls.call(mine))
    mine.revoke()
    await world.rest()
    await world.until(all.b.down.peer.calls.call(near.last))
    await world.rest()
    expect(await world.until(outcome(far.last.call(0)))).toBe('denied')
    expect((await far.last.closed).message).toContain('revoked')
    expect(await world.until(outcome(near.last.call(0)))).toBe('denied')
    expectIdle(...all.ends)
  })

  test('P84 what still comes after a link is lost is lost, and is kept nowhere', async () => {
    const world = new World(1)
    const stranger = new Stranger(world)
    const got: any[] = []
    stranger.peer.serve((body: unknown) => void got.push(body), 1)
    const reading = stranger.peer.incoming
    expect(reading.bytes).toBe(0)
    stranger.into.sink.write(
      [new TextEncoder().encode('#wat/call [1 {:refs [[1 {}]]} #wat/ref 0]\n')],
      () => {},
    )
    stranger.end.peer.abort({ code: 'offline' } as WatError)
    await world.rest()
    expectNothingLeft(stranger.end)
  })
})

describe('what does not arrive', () => {
  test('P86 a body that cannot be sent gives nothing away', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { maxFrame: 1000 })
    const [one, gone] = [made(() => 1), made(() => 2)]
    const keeper = new Keeper(b)
    await world.until(a.peer.calls.call(gone))
    a.peer.serve((how: string) => replies[how]?.(), 9)
    const released = keeper.last
    const replies: Record<string, () => unknown> = {
      function: () => [one, () => {}],
      large: () => [one, 'x'.repeat(1000)],
      headLarge: () => Array.from({ length: 80 }, () => made(() => 1, { address: '/long/address' })),
    }
    for (const [how, body] of Object.entries(replies)) {
      const code = how === 'function' ? 'encode' : 'too-large'
      expect(await world.until(outcome(a.peer.calls.call(body())))).toBe(code)
      expect(await world.until(outcome(b.peer.calls.call(how)))).toBe(code)
      expect([a.peer.load.exports, b.peer.load.imports]).toEqual([1, 1])
    }
    released.release()
    expect(await world.until(outcome(b.peer.calls.call([released])))).toBe('denied')
    // Meta carries values alone.
    expect(await world.until(outcome(a.peer.calls.call(one, { meta: { one } })))).toBe('encode')
    await world.rest()
    expectIdle(a, b)
  })

  test('P86 one that was never sent may still be given, and is disposed of once, after that', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { maxFrame: 1000 })
    let disposed = 0
    const keeper = new Keeper(b)
    const mine = made(() => 1, { dispose: () => disposed++ })
    await world.until(outcome(a.peer.calls.call([mine, 'x'.repeat(1000)])))
    expect(disposed).toBe(0)
    await world.until(a.peer.calls.call(mine))
    keeper.releaseAll()
    await world.rest()
    expect(disposed).toBe(1)
    expectIdle(a, b)
  })

  test('P86 a reply that nobody waits for any more gives back what it brings', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { chunk: 30 })
    const late: (() => void)[] = []
    let disposed = 0
    const answer = () => made(() => 1, { dispose: () => disposed++ })
    // It does not look at its signal, and answers when nobody wants it.
    b.peer.serve(
      (_body: unknown, request: Request) =>
        new Promise(resolve => {
          late.push(() => {
            request.reply(answer())
            resolve(null)
          })
        }),
      9,
    )
    const abort = new AbortController()
    const calls = [a.peer.calls.call(1, abort), a.peer.calls.call(2, { timeout: 10 })].map(outcome)
    await world.rest()
    // The answers cross the cancel and the end of the time.
    for (const reply of late) reply()
    abort.abort()
    vi.advanceTimersByTime(20)
    expect(await world.until(Promise.all(calls))).toEqual(['cancelled', 'timeout'])
    await world.rest()
    expect(disposed).toBe(2)
    expectIdle(a, b)
  })

  test('P86 a request that is refused, waits or is cancelled gives back what it brings', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    let disposed = 0
    const fresh = () => made(() => 1, { dispose: () => disposed++ })
    const free = gate()
    const keeper = new Keeper(a)
    const busy = made(() => free.opened, { concurrency: 1 })
    await world.until(b.peer.calls.call(busy))
    const first = keeper.last.call(null)
    const abort = new AbortController()
    const waiting = [
      outcome(keeper.last.call(fresh(), abort)), // waits for its target
      outcome(a.peer.calls.call(fresh(), abort)), // nobody serves yet
    ]
    await world.rest()
    expect(b.peer.load.imports).toBe(2)
    abort.abort()
    expect(await world.until(Promise.all(waiting))).toEqual(['cancelled', 'cancelled'])
    await world.rest()
    expect([disposed, b.peer.load.imports]).toEqual([2, 0])
    const others = [outcome(keeper.last.call(fresh())), outcome(a.peer.calls.call(fresh()))]
    await world.rest()
    b.peer.refuse()
    await world.rest()
    others.push(outcome(a.peer.calls.call(fresh())))
    expect(await world.until(Promise.all(others))).toEqual(['offline', 'offline', 'offline'])
    await world.rest()
    expect([disposed, b.peer.load.imports]).toEqual([5, 0])
    free.open()
    await world.until(first)
    keeper.releaseAll()
    await world.rest()
    expectIdle(a, b)
  })

  test('P86 what waits for a reference that is revoked gives back what it brings', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    let disposed = 0
    const fresh = () => made(() => 1, { dispose: () => disposed++ })
    const keeper = new Keeper(a)
    const busy = made((_: unknown, { signal }: Request) => aborted(signal), { concurrency: 1 })
    await world.until(b.peer.calls.call(busy))
    const calls = [keeper.last.call(null), keeper.last.call(fresh()), keeper.last.call([fresh()])].map(
      outcome,
    )
    await world.rest()
    busy.revoke()
    expect(await world.until(Promise.all(calls))).toEqual(['denied', 'denied', 'denied'])
    // One that comes when it has been revoked does so, too: its number means nothing any more.
    await world.rest()
    expect(disposed).toBe(2)
    expectIdle(a, b)
  })

  test('P86 a request that is passed on keeps what it brings no longer than its answer takes', async () => {
    const world = new World(1)
    const all = row(world, { chunk: 30 })
    let disposed = 0
    const fresh = () => made((n: number) => n + 1, { dispose: () => disposed++ })
    lead(all, async (f: Ref) => {
      const n = await f.call(1)
      f.release()
      return n
    })
    const calls = Array.from({ length: 300 }, () => all.a.peer.calls.call(fresh()))
    expect(new Set(await world.until(Promise.all(calls)))).toEqual(new Set([2]))
    await world.rest()
    expect(disposed).toBe(300)
    expectIdle(...all.ends)
  })

  test('P86 so does a reply that is passed on', async () => {
    const world = new World(1)
    const all = row(world, { chunk: 30 })
    let disposed = 0
    lead(all, () => [made(() => 7, { dispose: () => disposed++ })])
    for (let n = 0; n < 20; n++) {
      const [ref] = (await world.until(all.a.peer.calls.call(n))) as [Ref]
      expect(await world.until(ref.call(null))).toBe(7)
      ref.release()
    }
    // Cancelled on the way, too.
    const abort = new AbortController()
    const calls = Array.from({ length: 20 }, () => outcome(all.a.peer.calls.call(1, abort)))
    abort.abort()
    await world.until(Promise.all(calls))
    await world.rest()
    expect(disposed).toBe(40)
    expectIdle(...all.ends)
  })

  test('P86 more than a link takes is overloaded, and gives nothing of it away', async () => {
    const world = new World(1)
    const stranger = new Stranger(world, { deaf: true, capacity: 1e7 })
    const many = Array.from({ length: MAX_REFS - 10 }, () => made(() => 1))
    const call = outcome(stranger.peer.calls.call(many))
    const more = Array.from({ length: 11 }, () => made(() => 1))
    expect(await outcome(stranger.peer.calls.call([many[0], ...more]))).toBe('overloaded')
    expect(stranger.peer.load.exports).toBe(MAX_REFS - 10)
    const last = outcome(stranger.peer.calls.call([many[0], ...more.slice(1)]))
    expect(stranger.peer.load.exports).toBe(MAX_REFS)
    // What was not sent is not counted: these are as many as it has seen.
    await stranger.write('#wat/release [1 1 2 1]')
    expect(stranger.peer.load.exports).toBe(MAX_REFS - 1)
    stranger.end.abort()
    expect(await world.until(Promise.all([call, last]))).toEqual(['offline', 'offline'])
    expectIdle(stranger.end)
  })
})

describe('how many at once', () => {
  test.each(seeds)(
    'P83 a reference takes no more than its concurrency, from all links together (seed %d)',
    async seed => {
      const world = new World(seed)
      const [one, two] = [pair(world, { chunk: 50 }), pair(world, { chunk: 50 })]
      let [running, most] = [0, 0]
      const order: string[] = []
      const target = async (who: string) => {
        order.push(who)
        most = Math.max(most, ++running)
        await new Promise<void>(resolve => world.post(resolve))
        running--
      }
      const mine = made(target, { concurrency: 2 })
      const keepers = [new Keeper(one.b), new Keeper(two.b)]
      await world.until(Promise.all([one.a.peer.calls.call(mine), two.a.peer.calls.call(mine)]))
      const calls = keepers.flatMap(({ last }, n) =>
        Array.from({ length: 40 }, (_, m) => last.call(`${n} ${m}`)),
      )
      await world.until(Promise.all(calls))
      expect(most).toBe(2)
      for (const n of ['0', '1']) {
        const own = order.filter(who => who.startsWith(n))
        expect(own).toEqual(own.map((_, m) => `${n} ${m}`))
      }
      for (const keeper of keepers) keeper.releaseAll()
      await world.rest()
      expectIdle(one.a, one.b, two.a, two.b)
    },
  )

  test('P83 links that wait for the same reference take turns', async () => {
    const world = new World(1)
    const [one, two] = [pair(world), pair(world)]
    const ends: (() => void)[] = []
    const order: number[] = []
    const target = (n: number) => {
      order.push(n)
      return new Promise<void>(resolve => ends.push(resolve))
    }
    const mine = made(target, { concurrency: 1 })
    const keepers = [new Keeper(one.b), new Keeper(two.b)]
    await world.until(Promise.all([one.a.peer.calls.call(mine), two.a.peer.calls.call(mine)]))
    const calls = keepers.flatMap(({ last }, n) => Array.from({ length: 10 }, () => last.call(n)))
    await world.rest()
    for (let n = 0; n < 20; n++) {
      ends.shift()?.()
      await world.rest()
    }
    await world.until(Promise.all(calls))
    // But for the first, which found nobody, and the last, who have nobody left beside them.
    expect(order.slice(1, 17)).toEqual(Array.from({ length: 16 }, (_, n) => (order[1]! + n) % 2))
    for (const keeper of keepers) keeper.releaseAll()
    await world.rest()
    expectIdle(one.a, one.b, two.a, two.b)
  })

  test('P83 one that is busy holds up no other of the same link', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const keeper = new Keeper(b)
    const free = gate()
    await world.until(a.peer.calls.call([made(() => free.opened, { concurrency: 1 }), made(() => 'quick')]))
    const [busy, quick] = keeper.kept as [Ref, Ref]
    const calls = Array.from({ length: 100 }, () => busy.call(0))
    expect(await world.until(quick.call(0))).toBe('quick')
    free.open()
    await world.until(Promise.all(calls))
    keeper.releaseAll()
    await world.rest()
    expectIdle(a, b)
  })

  test('P79 calls that have begun beyond a relay make room for others', async () => {
    const world = new World(1)
    const all = row(world, { chunk: 500 })
    let begun = 0
    const free = gate()
    const keeper = new Keeper(all.a)
    const mine = made(
      () => {
        if (++begun === 3 * CALL_PLACES) free.open()
        return free.opened
      },
      { concurrency: Infinity },
    )
    all.b.down.peer.serveWith(relayTo({ call: (body, o) => all.b.up.peer.calls.call(body, o) }))
    await world.until(all.c.peer.calls.call(mine))
    // None is answered before all have begun, and a link has places for a third of them.
    await world.until(Promise.all(Array.from({ length: 3 * CALL_PLACES }, (_, n) => keeper.last.call(n))))
    keeper.releaseAll()
    await world.rest()
    expectIdle(...all.ends)
  })

  test('P79 calls that have not begun beyond a relay take their places all the way', async () => {
    const world = new World(1)
    const all = row(world, { chunk: 500 })
    const free = gate()
    lead(
      all,
      serviceOf(() => free.opened, { concurrency: 1 }),
    )
    const calls = Array.from({ length: 4 * CALL_PLACES }, (_, n) => all.a.peer.calls.call(n))
    await world.rest()
    expect(all.a.peer.load.unsentCalls).toBeGreaterThanOrEqual(2 * CALL_PLACES)
    expect(all.c.peer.load.waiting).toBeLessThanOrEqual(CALL_PLACES)
    free.open()
    await world.until(Promise.all(calls))
    expectIdle(...all.ends)
  })

  test('P89 an end waits for what waits for a reference, and no longer', async () => {
    const world = new World(1)
    const [one, two] = [pair(world), pair(world)]
    const keepers = [new Keeper(one.b), new Keeper(two.b)]
    const free = gate()
    let n = 0
    const busy = made(() => (n++ === 0 ? free.opened : 'at once'), { concurrency: 1 })
    await world.until(Promise.all([one.a.peer.calls.call(busy), two.a.peer.calls.call(busy)]))
    const first = keepers[0]!.last.call(0)
    await world.rest()
    const second = outcome(keepers[1]!.last.call(0))
    await world.rest()
    // Its input has ended, and one waits that another link's holds up.
    two.a.peer.answers.end()
    free.open()
    expect(await world.until(second)).toBe('at once')
    await world.until(two.a.peer.answers.done)
    await world.until(first)
  })

  test('P89 one that is stopping is offline, also when its program has come to its end meanwhile', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const keeper = new Keeper(b)
    await world.until(a.peer.calls.call(made(() => 1)))
    a.peer.serve(() => 1, 1)
    a.peer.refuse()
    a.peer.answers.decline(new WatError('no-handler', 'it does not serve'))
    const calls = [keeper.last.call(0), b.peer.calls.call(0)].map(outcome)
    expect(await world.until(Promise.all(calls))).toEqual(['offline', 'offline'])
  })

  test('P89 an end does not wait for what waited for a reference that is revoked', async () => {
    const world = new World(1)
    const [one, two] = [pair(world), pair(world)]
    const keepers = [new Keeper(one.b), new Keeper(two.b)]
    const busy = made(never, { concurrency: 1 })
    await world.until(Promise.all([one.a.peer.calls.call(busy), two.a.peer.calls.call(busy)]))
    void keepers[0]!.last.call(0).catch(() => {})
    await world.rest()
    const second = outcome(keepers[1]!.last.call(0))
    await world.rest()
    two.a.peer.answers.end()
    busy.revoke()
    expect(await world.until(second)).toBe('denied')
    await world.until(two.a.peer.answers.done)
  })
})

describe('what a request carries', () => {
  test.each(seeds)(
    'P88 time, meta and the cancel go over a relay, and an answer may come early (seed %d)',
    async seed => {
      const world = new World(seed)
      const all = row(world, { chunk: 30 })
      const seen: unknown[] = []
      lead(all, (body: string, request: Request) => {
        if (body === 'early') {
          request.reply('early')
          return new Promise<void>(resolve => world.post(() => resolve(void seen.push('worked on'))))
        }
        seen.push([request.meta, request.deadline])
        return new Promise(resolve => {
          request.signal.addEventListener('abort', () => resolve(void seen.push(request.signal.reason.code)))
        })
      })
      expect(await world.until(all.a.peer.calls.call('early'))).toBe('early')
      const abort = new AbortController()
      const meta = { trace: 'x', deep: [1, { y: null }] }
      const call = outcome(all.a.peer.calls.call('wait', { meta, signal: abort.signal }))
      await world.rest()
      abort.abort()
      expect(await world.until(call)).toBe('cancelled')
      expect(seen).toEqual(['worked on', [meta, undefined], 'cancelled'])
      const timed = outcome(all.a.peer.calls.call('wait', { timeout: 50 }))
      const due = Date.now() + 50
      await world.rest()
      expect(Math.abs((seen.at(-1) as [unknown, number])[1] - due)).toBeLessThan(1000)
      vi.advanceTimersByTime(60)
      expect(await world.until(timed)).toBe('timeout')
      expectIdle(...all.ends)
    },
  )
})

describe('at home', () => {
  test('P83 a call that is given up before it has begun never begins', async () => {
    let begun = 0
    const mine = made(() => void begun++)
    const abort = new AbortController()
    const call = outcome(mine.call(1, abort))
    abort.abort()
    expect(await call).toBe('cancelled')
    await mine.call(2)
    expect(begun).toBe(1)
  })

  test('P83 one that is busy holds up no other', async () => {
    const world = new World(1)
    const other = made((n: number) => n)
    const mine = made(async (n: number) => other.call(n), { concurrency: 1 })
    const calls = Array.from({ length: 3 * CALL_PLACES }, (_, n) => mine.call(n))
    expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => n))
  })

  test('P79 what begins at home makes room for others on the way there, however large they are', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const free = gate()
    let begun = 0
    const mine = made(() => {
      if (++begun === 10) free.open()
      return free.opened
    })
    b.peer.serveWith(serviceOf(mine, {}))
    const body = 'x'.repeat(1_000_000)
    await world.until(Promise.all(Array.from({ length: 10 }, () => a.peer.calls.call(body))))
    expectIdle(a, b)
  })

  test('P86 what a call brings that does not begin, and what only passes, is given back', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const keeper = new Keeper(b)
    let disposed = 0
    await world.until(a.peer.calls.call(made(() => 1, { dispose: () => disposed++ })))
    const far = keeper.kept.pop() as Ref // one hold
    const busy = made(never, { concurrency: 1 })
    const abort = new AbortController()
    const calls = [busy.call(0), busy.call([far], abort)].map(outcome)
    await world.rest()
    abort.abort()
    busy.revoke()
    expect(await world.until(Promise.all(calls))).toEqual(['denied', 'cancelled'])
    const early = outcome(made(() => 1).call(far, { signal: AbortSignal.abort() }))
    expect(await early).toBe('cancelled')
    far.release()
    await world.rest()
    expect(disposed).toBe(1)
    expectIdle(a, b)
  })
})
