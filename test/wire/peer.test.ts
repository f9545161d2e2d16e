import { describe, expect, test, vi } from 'vitest'
import { kw } from '../../runtime/edn/index.ts'
import type { WatError } from '../../runtime/error.ts'
import type { Request } from '../../runtime/wire/handler.ts'
import { CALL_PLACES, VALUE_WINDOW_BYTES } from '../../runtime/wire/limits.ts'
import { End, pair, Stranger, type StrangerOptions } from '../support/pair.ts'
import { MemoryPipe } from '../support/memory-pipe.ts'
import { expectIdle, expectNothingLeft, fakeTimers, gate, never, outcome } from '../support/settling.ts'
import { seeds, World } from '../support/world.ts'

const MiB = 1024 * 1024

fakeTimers()

describe.each([1, 2])('calls, protocol %d', protocol => {
  test.each(seeds)('P26 calls are answered in any order, in pieces of any size (seed %d)', async seed => {
    const world = new World(seed)
    const link = pair(world, { protocol, capacity: 50, chunk: 7, retry: seed % 2 === 0 })
    link.b.peer.serve(async (n: number) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      world.post(resolve)
      await promise
      return `${n} äöü€😀`
    }, 10)
    const calls = Array.from({ length: 50 }, (_, n) => link.a.peer.calls.call(n))
    expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => `${n} äöü€😀`))
    expectIdle(link.a, link.b)
  })

  test('P28 whatever a handler throws or returns, its call settles and the next works', async () => {
    const world = new World(1)
    const link = pair(world, { protocol })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const makers: Record<string, () => unknown> = {
      error: () => {
        throw new Error('no', { cause: new TypeError('because') })
      },
      undefined: () => {
        throw undefined
      },
      symbol: () => {
        throw Symbol('s')
      },
      revoked: () => {
        throw proxy
      },
      rejected: () => Promise.reject(new Error('later')),
      revokedLater: () => Promise.reject(proxy),
      returnsRevoked: () => proxy,
      function: () => () => {},
      functionLater: async () => () => {},
      getter: () => ({
        get x() {
          throw new Error('from a getter')
        },
      }),
      thenGetter: () => ({
        // oxlint-disable-next-line unicorn/no-thenable
        get then() {
          throw new Error('from then')
        },
      }),
      thenThrows: () => ({
        // oxlint-disable-next-line unicorn/no-thenable
        then() {
          throw new Error('in then')
        },
      }),
      thenTwice: () => ({
        // oxlint-disable-next-line unicorn/no-thenable
        then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
          resolve(1)
          resolve(2)
          reject(new Error('three'))
        },
      }),
    }
    link.b.peer.serve((name: string) => makers[name]?.(), 1)
    for (const name of Object.keys(makers)) {
      const settled = await world.until(outcome(link.a.peer.calls.call(name)))
      expect([name, settled]).toEqual([
        name,
        expect.toSatisfy(s => s === 1 || ['handler', 'encode'].includes(s)),
      ])
      void link.a.peer.outgoing.send(name)
    }
    expect(await world.until(link.a.peer.calls.call('nothing'))).toBe(null)
    expect(link.b.plainFailures).toHaveLength(Object.keys(makers).length - 1)
    expect(await world.until(link.a.peer.incoming.recv())).toBe(1)
    expectIdle(link.a, link.b)
  })

  test('P26 a body that cannot be written rejects its call alone', async () => {
    const world = new World(1)
    const link = pair(world, { protocol, maxInFlight: 2, maxFrame: 1000 })
    link.b.peer.serve(n => n, 1)
    const bodies = [1, () => {}, 2, 'x'.repeat(2000), Symbol('s'), 3]
    const calls = bodies.map(body => outcome(link.a.peer.calls.call(body)))
    expect(await world.until(Promise.all(calls))).toEqual([1, 'encode', 2, 'too-large', 'encode', 3])
    expectIdle(link.a, link.b)
  })

  test.each(seeds)(
    'P27 a call is cancelled before it is sent, in flight and after its reply (seed %d)',
    async seed => {
      const world = new World(seed)
      const link = pair(world, { protocol, maxInFlight: 1, chunk: 9 })
      const begun: unknown[] = []
      const reasons: unknown[] = []
      link.b.peer.serve((body: unknown, request: Request) => {
        begun.push(body)
        if (body !== 'slow') return body
        return new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => {
            reasons.push((request.signal.reason as WatError).code)
            reject(new Error('given up'))
          })
        })
      }, 256)
      const [slow, unsent, replied] = [new AbortController(), new AbortController(), new AbortController()]
      const calls = [
        outcome(link.a.peer.calls.call('slow', { signal: slow.signal })),
        outcome(link.a.peer.calls.call('unsent', { signal: unsent.signal })),
        outcome(link.a.peer.calls.call('replied', { signal: replied.signal })),
        outcome(link.a.peer.calls.call('never', { signal: AbortSignal.abort() })),
      ]
      unsent.abort()
      await world.rest()
      slow.abort()
      expect(await world.until(Promise.all(calls))).toEqual([
        'cancelled',
        'cancelled',
        'replied',
        'cancelled',
      ])
      replied.abort()
      await world.rest()
      expect([begun, reasons]).toEqual([['slow', 'replied'], ['cancelled']])
      expectIdle(link.a, link.b)
    },
  )

  test('P27 a call that times out rejects, is cancelled, and its late reply is nobody else’s', async () => {
    const world = new World(1)
    const link = pair(world, { protocol, maxInFlight: 1 })
    const late: (() => void)[] = []
    link.b.peer.serve(
      body => (body === 'slow' ? new Promise(resolve => late.push(() => resolve('late'))) : body),
      10,
    )
    const slow = outcome(link.a.peer.calls.call('slow', { timeout: 100 }))
    const waiting = outcome(link.a.peer.calls.call('waiting', { timeout: 50 }))
    await world.rest()
    vi.advanceTimersByTime(60)
    expect(await world.until(waiting)).toBe('timeout')
    vi.advanceTimersByTime(60)
    expect(await world.until(slow)).toBe('timeout')
    const next = link.a.peer.calls.call('next', { timeout: 100 })
    for (const reply of late) reply()
    expect(await world.until(next)).toBe('next')
    expectIdle(link.a, link.b)
  })

  test('P27 requests that are cancelled while they wait are forgotten', async () => {
    const world = new World(1)
    const link = pair(world, { protocol })
    const free = gate()
    const begun: unknown[] = []
    link.b.peer.serve(async body => {
      begun.push(body)
      await free.opened
    }, 1)
    const first = link.a.peer.calls.call('first')
    for (let round = 0; round < 20; round++) {
      const abort = new AbortController()
      const calls = Array.from({ length: 100 }, () =>
        outcome(link.a.peer.calls.call('x'.repeat(100), { signal: abort.signal })),
      )
      await world.rest()
      abort.abort()
      await world.until(Promise.all(calls))
      // Without credit reading stops before the last of the cancels, of which most went nowhere.
      if (protocol === 2) expect(link.b.peer.load).toMatchObject({ waiting: 0, waitingBytes: 0 })
      else expect(link.b.peer.load.waitingBytes).toBeLessThan(1000)
    }
    free.open()
    await world.until(first)
    await world.rest()
    if (protocol === 2) expect(begun).toEqual(['first'])
    expectIdle(link.a, link.b)
  })

  test('P26 a place that a getter of a body has made goes to the next call', async () => {
    const world = new World(1)
    const link = pair(world, { protocol, maxInFlight: 1 })
    link.b.peer.serve(body => (body === 'first' ? never() : body), 2)
    const abort = new AbortController()
    const first = outcome(link.a.peer.calls.call('first', { signal: abort.signal }))
    const next = outcome(link.a.peer.calls.call('next'))
    void link.a.peer.outgoing.send({
      get x() {
        abort.abort()
        return 'value'
      },
    })
    expect(await world.until(Promise.all([first, next]))).toEqual(['cancelled', 'next'])
  })

  test('P26 a getter of a body may cancel, call, send and end', async () => {
    const world = new World(1)
    const link = pair(world, { protocol, maxInFlight: 3 })
    const { calls, outgoing } = link.a.peer
    const seen: unknown[] = []
    link.b.peer.serve((body: unknown, request: Request) => {
      seen.push(body)
      // What nobody cancels takes the only place for ever.
      if ((body as { x?: unknown }).x === 'own')
        return new Promise(resolve => {
          request.signal.addEventListener('abort', resolve)
        })
      return undefined
    }, 1)
    const [own, other] = [new AbortController(), new AbortController()]
    const others = [
      outcome(calls.call('other', { signal: other.signal })),
      outcome(
        calls.call(
          {
            get x() {
              own.abort()
              return 'own'
            },
          },
          { signal: own.signal },
        ),
      ),
      outcome(
        calls.call({
          get x() {
            other.abort()
            return 'more'
          },
        }),
      ),
      outcome(calls.call('waits')),
      outcome(calls.call('waits too')),
    ]
    expect(await world.until(Promise.all(others))).toEqual(['cancelled', 'cancelled', null, null, null])
    // Each cancel went behind its request, so the other side has nothing left of them.
    expectIdle(link.a, link.b)
    const nested: Promise<unknown>[] = []
    void outgoing.send({
      get x() {
        nested.push(outcome(calls.call('nested')), outcome(outgoing.send('nested')), outgoing.end())
        return 'last'
      },
    })
    expect(await world.until(Promise.all(nested))).toEqual(['denied', 'denied', undefined])
    expect(seen.at(-1)).toEqual({ x: 'last' })
  })
})

describe('plain values', () => {
  test.each(seeds)('P8 plain values go both ways, in order and whole (seed %d)', async seed => {
    const world = new World(seed)
    const { a, b } = pair(world, { capacity: 300, chunk: 5, protocol: 1 + (seed % 2) })
    const values = Array.from({ length: 200 }, (_, n) => [n, kw('wörd'), '😀'.repeat(n % 7)])
    const moved = [a, b].map(async ({ peer }, n) => {
      const other = [b, a][n] as End
      for (const value of values) {
        await peer.outgoing.send(value)
        expect(await other.peer.incoming.recv()).toEqual(value)
      }
      await peer.outgoing.end()
      expect(await other.peer.incoming.recv()).toBeUndefined()
    })
    await world.until(Promise.all(moved))
    expectIdle(a, b)
  })

  test.each([1, 2])(
    'P17 plain values are answered in order, behind what their handlers have sent, protocol %d',
    async protocol => {
      const world = new World(7)
      const link = pair(world, { protocol, capacity: 4000 })
      const { a, b } = link
      const long = 'x'.repeat(100_000)
      b.peer.serve(async (n: number) => {
        void b.peer.outgoing.send([n, 'first', long])
        void b.peer.outgoing.send([n, 'second', long])
        if (n % 2 === 0) await new Promise<void>(resolve => world.post(resolve))
        return [n, 'answer', long]
      }, 1)
      for (let n = 0; n < 10; n++) void a.peer.outgoing.send(n)
      await world.rest()
      for (let n = 0; n < 10; n++)
        for (const what of ['first', 'second', 'answer'])
          expect(await world.until(a.peer.incoming.recv())).toEqual([n, what, long])
      expectIdle(link.a, link.b)
    },
  )

  test.each([1, 2])('P9 answers that wait for an earlier one are bounded, protocol %d', async protocol => {
    const world = new World(1)
    const link = pair(world, { protocol })
    const free = gate()
    let handled = 0
    link.b.peer.serve(async (n: number) => {
      handled++
      if (n === 0) await free.opened
      return n
    }, 10)
    const sent = Array.from({ length: 5000 }, (_, n) => link.a.peer.outgoing.send(n))
    world.check = () => expect(link.b.peer.load.unordered).toBeLessThanOrEqual(10)
    await world.rest()
    expect(handled).toBeLessThanOrEqual(10)
    free.open()
    for (let n = 0; n < 5000; n++) expect(await world.until(link.a.peer.incoming.recv())).toBe(n)
    await world.until(Promise.all(sent))
    expectIdle(link.a, link.b)
  })

  test('P9 what is answered at once, and written at once, takes no stack', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { sync: true, capacity: Infinity, protocol: 1 })
    for (let n = 0; n < 5000; n++) void a.peer.outgoing.send(n)
    await world.rest()
    let deepest = 0
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 1000
    b.peer.serve((n: number) => {
      if (n % 100 === 0) deepest = Math.max(deepest, new Error('here').stack!.split('\n').length)
      return 'x'.repeat(10_000)
    }, 256)
    Error.stackTraceLimit = limit
    let answers = 0
    const reading = (async () => {
      while (answers < 5000 && (await a.peer.incoming.recv()) !== undefined) answers++
    })()
    await world.until(reading)
    expect(deepest).toBeLessThan(60)
    expect(b.plainFailures).toEqual([])
  })
})

describe('P10 both sides send 5 MB before either reads', () => {
  const shapes = [
    [5000, 1000],
    [50, 100_000],
    [1, 5_000_000],
    [100_000, 50],
  ] as const
  test.each([1, 2].flatMap(protocol => shapes.map(shape => [...shape, protocol] as const)))(
    'P10 in %d values of %d bytes, protocol %d',
    async (count, size, protocol) => {
      const world = new World(count)
      const link = pair(world, { protocol, capacity: 200_000 })
      const ends = [link.a, link.b]
      const text = 'x'.repeat(size)
      const both = ends.map(async ({ peer }) => {
        await Promise.all(Array.from({ length: count }, () => peer.outgoing.send(text)))
        for (let n = 0; n < count; n++)
          if ((await peer.incoming.recv()) !== text) throw new Error(`value ${n}`)
      })
      await world.until(Promise.all(both))
      expectIdle(link.a, link.b)
    },
  )

  test.each([1, 2])('P10 with trySend, protocol %d', async protocol => {
    const world = new World(1)
    const link = pair(world, { protocol })
    const text = 'x'.repeat(1000)
    const both = [link.a, link.b].map(async ({ peer }) => {
      for (let n = 0; n < 5000; n++)
        while (peer.outgoing.trySend(text) !== 'sent') await new Promise<void>(resolve => world.post(resolve))
      for (let n = 0; n < 5000; n++) expect(await peer.incoming.recv()).toBe(text)
    })
    await world.until(Promise.all(both))
    expectIdle(link.a, link.b)
  })
})

describe('P79 credit', () => {
  const body = 'x'.repeat(100)

  test('P79 who has ended what it sends still gets all that it reads', async () => {
    const world = new World(1)
    const link = pair(world)
    const [{ peer: a }, { peer: b }] = [link.a, link.b]
    const text = 'x'.repeat(10_000)
    const sending = (async () => {
      for (let n = 0; n < 200; n++) await b.outgoing.send(text)
      await b.outgoing.end()
    })()
    const reading = (async () => {
      for (let n = 0; n < 100; n++) expect(await a.incoming.recv()).toBe(text)
      await a.outgoing.end()
      for (let n = 100; n < 200; n++) expect(await a.incoming.recv()).toBe(text)
      expect(await a.incoming.recv()).toBeUndefined()
    })()
    await world.until(Promise.all([sending, reading]))
    expectIdle(link.a, link.b)
  })

  test.each([1, 2, 256])(
    'P79 a flood of calls whose handlers call back finishes, concurrency %d',
    async concurrency => {
      const world = new World(concurrency)
      const link = pair(world, { capacity: 10_000 })
      const { a, b } = link
      a.peer.serve(async (n: number) => n + 1, concurrency)
      b.peer.serve(async ([n]: [number, string]) => [await a2(n)], concurrency)
      const a2 = (n: number) => b.peer.calls.call(n)
      world.check = () => expect(a.held + b.held).toBeLessThan(MiB)
      const calls = Array.from({ length: 2000 }, (_, n) => a.peer.calls.call([n, body]))
      expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => [n + 1]))
      expectIdle(link.a, link.b)
    },
  )

  test.each([1, 2])(
    'P79 a flood one way and calls that call back the other way, concurrency %d',
    async concurrency => {
      const world = new World(concurrency)
      const link = pair(world, { capacity: 10_000 })
      const { a, b } = link
      a.peer.serve(async (n: number) => n + 1, concurrency)
      b.peer.serve(async (n: number) => await b.peer.calls.call(n), concurrency)
      const calls = [a, b].map(({ peer }) => Array.from({ length: 1000 }, (_, n) => peer.calls.call(n)))
      await world.until(Promise.all(calls.flat()))
      expectIdle(link.a, link.b)
    },
  )

  // More of them at once than there are places less one would all wait for a place on the other side.
  test.each([
    [2, 2],
    [2, 256],
    [1, 256],
  ])(
    'P79 both sides call, each handler calls back, protocol %d, concurrency %d',
    async (protocol, concurrency) => {
      const world = new World(concurrency)
      const link = pair(world, { protocol, capacity: 3000 })
      const ends = [link.a, link.b]
      for (const { peer } of ends)
        peer.serve(
          async ([leaf, n]: [boolean, number]) => (leaf ? n : peer.calls.call([true, n + 1])),
          concurrency,
        )
      const atOnce = Math.min(concurrency - 1, protocol === 1 ? 50 : Infinity)
      const work = ends.flatMap(({ peer }) =>
        Array.from({ length: atOnce }, async () => {
          for (let n = 0; n < Math.ceil(1000 / atOnce); n++)
            expect(await peer.calls.call([false, n, body])).toBe(n + 1)
        }),
      )
      await world.until(Promise.all(work))
      expectIdle(link.a, link.b)
    },
  )

  test.each(seeds)(
    'P79 both flood, each handler calls back to any depth, without a bound of its own (seed %d)',
    async seed => {
      const world = new World(seed)
      const link = pair(world, { capacity: 3000 })
      const ends = [link.a, link.b]
      for (const { peer } of ends)
        peer.serve(
          async ([depth]: [number]) => (depth > 0 ? peer.calls.call([depth - 1, body]) : 'done'),
          Infinity,
        )
      const calls = ends.flatMap(({ peer }) =>
        Array.from({ length: 1000 }, (_, n) => peer.calls.call([n % 5, body])),
      )
      expect(new Set(await world.until(Promise.all(calls)))).toEqual(new Set(['done']))
      expectIdle(link.a, link.b)
    },
  )

  test('P79 large bodies both ways, each handler calls back', async () => {
    const world = new World(3)
    const link = pair(world, { capacity: 100_000 })
    const ends = [link.a, link.b]
    const large = 'ö'.repeat(250_000)
    for (const { peer } of ends)
      peer.serve(async ([leaf]: [boolean]) => (leaf ? large : peer.calls.call([true, large])), Infinity)
    const calls = ends.flatMap(({ peer }) =>
      Array.from({ length: 40 }, () => peer.calls.call([false, large])),
    )
    await world.until(Promise.all(calls))
    expectIdle(link.a, link.b)
  })

  test('P79 requests whose handlers never begin hold up no reply, and memory is bounded', async () => {
    const world = new World(1)
    const link = pair(world)
    const { a, b } = link
    a.peer.serve(n => n, 1)
    b.peer.serve(never, 1)
    const abort = new AbortController()
    const stuck = Array.from({ length: 2000 }, () =>
      outcome(a.peer.calls.call('x'.repeat(10_000), { signal: abort.signal })),
    )
    world.check = () => expect(b.peer.answers.waitingBytes).toBeLessThan(4.5 * MiB)
    await world.rest()
    expect(b.peer.load.waiting).toBeGreaterThanOrEqual(CALL_PLACES - 1)
    expect(await world.until(b.peer.calls.call('there'))).toBe('there')
    expect(await world.until(b.peer.calls.call('again'))).toBe('again')
    abort.abort()
    await world.until(Promise.all(stuck))
    expect(b.peer.load).toMatchObject({ waiting: 0, wanted: 0, inFlight: 1 })
    expect(a.peer.load).toMatchObject({ open: 0, unsentCalls: 0, places: 0, placed: 0, queued: 0 })
  })

  test('P79 plain values that nobody reads hold up neither requests, replies nor cancels', async () => {
    const world = new World(1)
    const link = pair(world)
    const ends = [link.a, link.b]
    const text = 'x'.repeat(1000)
    const aborted: unknown[] = []
    for (const { peer } of ends)
      peer.serve((body, request) => {
        if (body === 'now') return body
        request.signal.addEventListener('abort', () => aborted.push(body))
        return never()
      }, 256)
    const printer = pair(world)
    const sent = Array.from({ length: 2000 }, () => printer.b.peer.outgoing.send(text))
    printer.b.peer.serve(n => n, 1)
    await world.rest()
    world.check = () => expect(printer.a.held + printer.b.held).toBeLessThan(3 * MiB)
    const abort = new AbortController()
    const cancelled = outcome(link.a.peer.calls.call('slow', { signal: abort.signal }))
    expect(await world.until(printer.a.peer.calls.call(1))).toBe(1)
    expect(await world.until(link.a.peer.calls.call('now'))).toBe('now')
    abort.abort()
    expect(await world.until(cancelled)).toBe('cancelled')
    expect(aborted).toEqual(['slow'])
    expect(printer.a.peer.incoming.bytes).toBeLessThan(VALUE_WINDOW_BYTES + 64 * 1024)
    for (let n = 0; n < 2000; n++) await world.until(printer.a.peer.incoming.recv())
    await world.until(Promise.all(sent))
    expectIdle(printer.a, printer.b)
  })

  test('P79 a request is handled although plain values wait for somebody to take their answers', async () => {
    const world = new World(1)
    const link = pair(world)
    link.b.peer.serve((n: unknown) => (n === 'request' ? n : 'x'.repeat(10_000)), 4)
    for (let n = 0; n < 200; n++) void link.a.peer.outgoing.send(n)
    await world.rest()
    expect(link.b.peer.answers.waitingBytes).toBeGreaterThan(0)
    for (let n = 0; n < 3; n++) expect(await world.until(link.a.peer.calls.call('request'))).toBe('request')
    for (let n = 0; n < 200; n++) await world.until(link.a.peer.incoming.recv())
    expectIdle(link.a, link.b)
  })

  test('P79 a call goes through although the other side is stuck with what it prints, protocol 1', async () => {
    const world = new World(1)
    const link = pair(world, { protocol: 1, capacity: 10_000 })
    const { a, b } = link
    const text = 'x'.repeat(1000)
    b.peer.serve(n => n, 1)
    const printed = Array.from({ length: 500 }, () => b.peer.outgoing.send(text))
    await world.rest()
    expect(link.ba.blocked).toBe(true)
    // The pipe to it is full, and it reads nothing before it is rid of what it prints.
    while (!link.ab.blocked) {
      void a.peer.outgoing.send(text)
      await world.rest()
    }
    const before = a.peer.incoming.bytes
    const call = a.peer.calls.call('through')
    await world.rest()
    expect(a.peer.incoming.bytes).toBeGreaterThan(before)
    for (let n = 0; n < 500; n++) await world.until(a.peer.incoming.recv())
    expect(await world.until(call)).toBe('through')
    await world.until(Promise.all(printed))
  })
})

describe('ends', () => {
  test.each(seeds)('P17 a side that has ended is answered to the end (seed %d)', async seed => {
    const world = new World(seed)
    const link = pair(world, { capacity: 100, chunk: 9, protocol: 1 + (seed % 2) })
    const { a, b } = link
    b.peer.serve(async n => {
      await new Promise<void>(resolve => world.post(resolve))
      return n
    }, 3)
    const calls = Array.from({ length: 20 }, (_, n) => a.peer.calls.call(n))
    for (let n = 0; n < 20; n++) void a.peer.outgoing.send(n)
    const ended = a.peer.outgoing.end()
    expect(await outcome(a.peer.outgoing.send('late'))).toBe('offline')
    expect(a.peer.outgoing.trySend('late')).toBe('closed')
    expect(await world.until(Promise.all(calls))).toEqual(calls.map((_, n) => n))
    for (let n = 0; n < 20; n++) expect(await world.until(a.peer.incoming.recv())).toBe(n)
    await world.until(Promise.all([ended, b.peer.answers.done]))
    await world.until(b.peer.outgoing.end())
    expect(await world.until(a.peer.incoming.recv())).toBeUndefined()
    expectIdle(link.a, link.b)
  })

  test('P17 who serves before the pipes are there has not seen the end of input', async () => {
    const world = new World(1)
    const [ab, ba] = [new MemoryPipe(world), new MemoryPipe(world)]
    const [a, b] = [new End('a', {}), new End('b', {})]
    b.peer.serve(n => n, 1)
    let done = false
    void b.peer.answers.done.then(() => (done = true))
    const call = a.peer.calls.call('early')
    a.peer.open(ba.source, ab.sink)
    b.peer.open(ab.source, ba.sink)
    expect(await world.until(call)).toBe('early')
    expect(done).toBe(false)
    void a.peer.outgoing.end()
    await world.until(b.peer.answers.done)
  })

  test('P8 a last value without a newline comes, also when the end comes while something is written', async () => {
    const world = new World(1)
    const into = new MemoryPipe(world)
    const end = new End('a', {})
    const written: string[] = []
    const bodies: unknown[] = []
    end.peer.serve((body: unknown) => bodies.push(body), 1)
    end.peer.open(into.source, {
      write(chunks, done) {
        written.push(Buffer.concat(chunks).toString())
        end.peer.endInput() // as when the write finds out that the other side is gone
        done()
      },
      writeSync() {},
      end: done => done(),
      close() {},
    })
    const bytes = [Buffer.from('#wat/req [1 1] 42')]
    await world.until(new Promise(resolve => into.sink.write(bytes, resolve)))
    await world.rest()
    expect([bodies, end.peer.ended, written.join('')]).toEqual([[1, 42], true, '#wat/rep [1 1]\n2\n'])
  })

  test.each(Array.from({ length: 40 }, (_, n) => n))(
    'P81 an abort settles everything, whatever is going on (seed %d)',
    async seed => {
      const world = new World(seed)
      const link = pair(world, {
        capacity: 500,
        chunk: 50,
        protocol: 1 + (seed % 2),
        sync: seed % 3 === 0,
        retry: seed % 5 === 0,
        maxInFlight: seed % 4 === 0 ? 3 : undefined,
      })
      const settled: Promise<unknown>[] = []
      const unended: AbortSignal[] = []
      for (const { peer } of [link.a, link.b]) {
        peer.serve((body, request) => {
          if (body !== 'never') return undefined
          unended.push(request.signal)
          return never()
        }, 2)
        for (let n = 0; n < 30; n++) {
          settled.push(
            outcome(peer.calls.call(n % 3 === 0 ? 'never' : n, n % 5 === 0 ? { timeout: 1000 } : {})),
          )
          settled.push(outcome(peer.outgoing.send('x'.repeat(n * 100))))
        }
        settled.push(peer.incoming.recv())
        if (seed % 7 === 0) settled.push(peer.outgoing.end())
      }
      for (let n = world.random.below(60); n > 0; n--) world.post(() => {})
      const turns = world.random.below(30)
      for (let n = 0; n < turns; n++) await Promise.resolve()
      if (seed % 2 === 0) {
        const cutting = new Promise<void>(resolve => {
          const later = (left: number): void => (left === 0 ? resolve() : world.post(() => later(left - 1)))
          later(world.random.below(10))
        })
        void cutting.then(() => link.cut())
      } else link.cut()
      await world.until(Promise.all(settled))
      for (const { peer } of [link.a, link.b]) {
        peer.incoming.close()
        expect(peer.load).toMatchObject({
          open: 0,
          unsentCalls: 0,
          waiting: 0,
          waitingBytes: 0,
          wanted: 0,
          unread: 0,
          unsent: 0,
          queued: 0,
        })
        expect(await outcome(peer.calls.call('late'))).toBe('offline')
        expect(await outcome(peer.outgoing.send('late'))).toBe('offline')
        await peer.answers.done
      }
      expect(unended.filter(signal => !signal.aborted)).toEqual([])
    },
  )

  test('P29 a reply that the other side’s death cuts off, wherever, rejects with that death', async () => {
    const fault =
      '{:type :wat/handler, :n 1.5e-10M, :r 1/2, :c \\u0041, :x ##Inf, :message "ä😀", :d #inst "2020-01-01T00:00:00Z"}'
    for (const frame of [`#wat/err [1 ${fault}]`, `#wat/rep [1 ${fault}]`]) {
      const bytes = Buffer.from(frame)
      for (let cut = 1; cut < bytes.length; cut++) {
        const world = new World(cut)
        const stranger = new Stranger(world)
        const call = outcome(stranger.peer.calls.call('x'))
        stranger.into.sink.writeSync([bytes.subarray(0, cut)])
        stranger.into.breakWriter()
        await world.rest()
        stranger.end.abort()
        expect([frame.slice(0, cut), await world.until(call)]).toEqual([frame.slice(0, cut), 'offline'])
      }
    }
  })

  test('P34 a request that is no longer wanted holds up nothing', async () => {
    const world = new World(1)
    const link = pair(world)
    link.b.peer.serve(never, 1)
    const abort = new AbortController()
    const calls = [1, 2, 3].map(n => outcome(link.a.peer.calls.call(n, { signal: abort.signal })))
    await world.rest()
    link.b.peer.refuse()
    let done = false
    void link.b.peer.answers.done.then(() => (done = true))
    await world.rest()
    expect(done).toBe(false)
    abort.abort()
    await world.until(Promise.all(calls))
    await world.until(link.b.peer.answers.done)
  })

  test('P29 nothing begins for a caller that is gone', async () => {
    const world = new World(1)
    const link = pair(world)
    const begun: number[] = []
    const free = gate()
    link.b.peer.serve(async (n: number) => {
      begun.push(n)
      await free.opened
    }, 2)
    for (let n = 0; n < 100; n++) void outcome(link.a.peer.calls.call(n))
    for (let n = 0; n < 100; n++) void outcome(link.a.peer.outgoing.send(n))
    await world.rest()
    link.cut()
    await world.until(link.b.peer.answers.done)
    free.open()
    await world.rest()
    expect(begun).toHaveLength(2)
    expect(link.b.peer.load).toMatchObject({ waiting: 0, handled: 0, inFlight: 0 })
  })

  test.each(seeds)('P34 refusing in the middle of a flood answers every call (seed %d)', async seed => {
    const world = new World(seed)
    const link = pair(world, { capacity: 2000, protocol: 1 + (seed % 2) })
    const { a, b } = link
    let handled = 0
    b.peer.serve(async n => {
      if (handled++ === 100) b.peer.refuse()
      await new Promise<void>(resolve => world.post(resolve))
      return n
    }, 10)
    const calls = Array.from({ length: 500 }, (_, n) => outcome(a.peer.calls.call(n)))
    for (let n = 0; n < 500; n++) void a.peer.outgoing.send(n).catch(() => {})
    const outcomes = await world.until(Promise.all(calls))
    const offline = outcomes.filter(one => one === 'offline').length
    expect(offline).toBeGreaterThan(0)
    expect(outcomes.filter((one, n) => one !== 'offline' && one !== n)).toEqual([])
    await world.until(b.peer.answers.done)
    a.peer.incoming.close()
    await world.rest()
    expectIdle(link.a, link.b)
  })
})

describe('P82 a newer protocol in mid-traffic', () => {
  test.each(Array.from({ length: 20 }, (_, n) => n))(
    'P82 nothing is lost, held up or counted twice (seed %d)',
    async seed => {
      const world = new World(seed)
      const link = pair(world, { protocol: 1, capacity: 1000 })
      const [server, client] = seed % 2 === 0 ? [link.a, link.b] : [link.b, link.a]
      server.peer.serve(async (n: number) => {
        if (n % 3 === 0) await new Promise<void>(resolve => world.post(resolve))
        return n
      }, 256)
      const { calls, outgoing, incoming } = client.peer
      const work = (async () => {
        for (let round = 0; round < 10; round++) {
          const made = Array.from({ length: 20 }, (_, n) => calls.call(n))
          for (let n = 0; n < 20; n++) void outgoing.send(n)
          expect(await Promise.all(made)).toEqual(made.map((_, n) => n))
          for (let n = 0; n < 20; n++) expect(await incoming.recv()).toBe(n)
        }
      })()
      const later = (left: number): void =>
        left === 0 ? link.a.upgrade() : world.post(() => later(left - 1))
      later(world.random.below(300))
      await world.until(work)
      expectIdle(link.a, link.b)
    },
  )

  test('P82 handlers that had begun before hold no place', async () => {
    const world = new World(1)
    const link = pair(world, { protocol: 1 }, {})
    const { a, b } = link
    const free = gate()
    b.peer.serve(async (n: number) => {
      if (n >= 0) await free.opened
      return n
    }, 1000)
    const slow = Array.from({ length: CALL_PLACES }, (_, n) => a.peer.calls.call(n))
    await world.rest()
    const more = a.peer.calls.call(-1)
    a.upgrade()
    expect(await world.until(more)).toBe(-1)
    free.open()
    await world.until(Promise.all(slow))
    expectIdle(link.a, link.b)
  })
})

describe('P80 hostile frames', () => {
  const served = async (world: World, options: StrangerOptions = {}) => {
    const stranger = new Stranger(world, options)
    stranger.peer.serve((body: unknown) => body, 256)
    return stranger
  }

  test.each([1, 2])(
    'P80 frames that mean nothing are malformed, and what comes behind them is served, protocol %d',
    async protocol => {
      const world = new World(1)
      const stranger = await served(world, { protocol, chunk: 5 })
      const frames = [
        '#wat/rep [99 1]',
        '#wat/err [99 {}]',
        '#wat/begun [99]',
        '#wat/begun [1 2 3 -1]',
        '#wat/begun {}',
        '#wat/begun [9007199254740993]',
        '#wat/taken [1e300]',
        '#wat/taken []',
        '#wat/cancel [1 2]',
        '#wat/cancel nil',
        '#wat/rep [0 1]',
        '#wat/rep ["1" 1]',
        '#wat/rep nil',
        '#wat/run {}',
        '#wat/exit {}',
        '#wat/hello {:protocol "2"}',
        '#wat/hello {:protocol -1}',
        '#wat/hello []',
        '#wat/stop {}',
        '#wat/stop {:grace-ms -1}',
        '#wat/ready 1',
        '#wat/unheard [1 2]',
        'garbage)',
        '"\\q"',
        '#wat/req [1.5 2]',
      ]
      for (const [n, frame] of frames.entries()) {
        await stranger.write(`${frame}\n#wat/req [${n + 1} ${n}]\n`)
        await world.rest()
        expect([frame, stranger.lines.at(-1)]).toEqual([frame, `#wat/rep [${n + 1} ${n}]`])
      }
      expect(stranger.end.faults.length).toBeGreaterThanOrEqual(frames.length)
      expect(new Set(stranger.end.faults.map(({ code }) => code))).toEqual(new Set(['malformed']))
      expectNothingLeft(stranger.end)
    },
  )

  test('P80 cancels of what is not there, begun and taken twice and late replies change nothing', async () => {
    const world = new World(1)
    const stranger = await served(world)
    const { calls, outgoing } = stranger.peer
    const call = calls.call('one')
    void outgoing.send('value')
    await world.rest()
    await stranger.write(
      '#wat/cancel [7]\n#wat/begun [1]\n#wat/begun [1 1 1]\n#wat/taken [1]\n#wat/taken [1]\n',
    )
    await stranger.write('#wat/rep [1 "reply"]\n#wat/rep [1 "again"]\n#wat/err [1 {}]\n#wat/begun [1]\n')
    expect(await world.until(call)).toBe('reply')
    expectIdle(stranger.end)
  })

  test('P80 values that go past the link and are counted as taken change nothing', async () => {
    const world = new World(1)
    const stranger = await served(world)
    const { outgoing } = stranger.peer
    for (const count of [1, 900, 9_007_199_254_740_991]) {
      await stranger.write(`#wat/taken [${count}]\n`)
      void outgoing.send(count)
      await world.rest()
    }
    await stranger.write('#wat/taken [3]\n')
    await world.rest()
    expectIdle(stranger.end)
  })

  test('P80 requests of one id are each answered, and end with who made them', async () => {
    const world = new World(1)
    const stranger = new Stranger(world)
    const signals: AbortSignal[] = []
    stranger.peer.serve((body, { signal }) => {
      signals.push(signal)
      return body === 1 ? never() : Promise.resolve(body)
    }, 4)
    await stranger.write(
      '#wat/req [5 1] #wat/req [5 1] #wat/req [5 2] #wat/req [5 1] #wat/req [5 1] #wat/req [5 1] #wat/req [5 2]\n',
    )
    await world.rest()
    expect(stranger.lines).toEqual(['#wat/rep [5 2]'])
    await stranger.write('#wat/cancel [5]\n')
    stranger.end.abort()
    await world.until(stranger.peer.answers.done)
    expect(signals.filter(({ aborted }) => !aborted)).toHaveLength(1) // that of the one that was answered
    expect(stranger.peer.load).toMatchObject({ waiting: 0, waitingBytes: 0, wanted: 0 })
  })

  test.each([
    ['requests whose handlers never begin', 2, (n: number) => `#wat/req [${n} "${'x'.repeat(1000)}"]\n`],
    ['requests whose handlers never begin', 1, (n: number) => `#wat/req [${n} "${'x'.repeat(1000)}"]\n`],
    ['plain values', 2, () => `"${'x'.repeat(1000)}"\n`],
    ['plain values', 1, () => `"${'x'.repeat(1000)}"\n`],
    ['malformed requests', 2, (n: number) => `#wat/req [${n}]\n`],
    ['malformed requests', 1, (n: number) => `#wat/req [${n}]\n`],
  ])(
    'P80 more %s than there is credit for, without reading: reading stops, memory is bounded, protocol %d',
    async (_what, protocol, frame) => {
      const world = new World(1)
      const stranger = new Stranger(world, { protocol, deaf: true, maxFrame: 100_000 })
      stranger.peer.serve(never, 2)
      world.check = () => expect(stranger.end.held).toBeLessThan(6 * MiB)
      let taken = true
      for (let round = 0; taken && round < 400; round++) {
        const lines = Array.from({ length: 500 }, (_, n) => frame(1 + round * 500 + n)).join('')
        taken = await stranger.write(lines)
      }
      expect(taken).toBe(false)
    },
  )

  test.each([1, 2])(
    'P80 a flood of requests to one that is stopping, without reading, is held back, protocol %d',
    async protocol => {
      const world = new World(1)
      const stranger = new Stranger(world, { protocol, deaf: true, maxFrame: 100_000 })
      stranger.peer.serve(never, 2)
      stranger.peer.refuse()
      world.check = () => expect(stranger.end.held).toBeLessThan(6 * MiB)
      let [taken, id] = [true, 0]
      for (let round = 0; taken && round < 800; round++)
        taken = await stranger.write(
          Array.from({ length: 500 }, () => `#wat/req [${++id} "${'x'.repeat(100)}"]\n`).join(''),
        )
      expect(taken).toBe(false)
      stranger.listen()
      await world.rest()
      expect(stranger.lines).toHaveLength(id)
      expect(stranger.lines.every(line => line.includes(':wat/offline'))).toBe(true)
    },
    120_000, // hundreds of thousands of requests, each answered
  )

  test('P80 what is taken one by one costs no more than what it is told with', async () => {
    const world = new World(1)
    const stranger = await served(world, { capacity: 10 * MiB })
    const values = 100_000
    for (let n = 0; n < values; n++) void stranger.peer.outgoing.send(1)
    await world.rest()
    await stranger.write(Array.from({ length: values }, (_, n) => `#wat/taken [${n + 1}]\n`).join(''))
    await world.rest()
    expect(stranger.end.faults).toEqual([])
    expect(stranger.peer.outgoing.trySend(1)).toBe('sent')
    expect(stranger.peer.load.unsent).toBe(0)
  })
})
