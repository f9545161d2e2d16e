import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { serviceOf } from '../../runtime/wire/service-of.ts'
import { unread } from '../../runtime/wire/encoded.ts'
import type { Request } from '../../runtime/wire/handler.ts'
import { BASIC_PROTOCOL, CALL_PLACES } from '../../runtime/wire/limits.ts'
import { Ref } from '../../runtime/wire/refs/ref.ts'
import { relayTo } from '../../runtime/wire/refs/relay.ts'
import type { Service } from '../../runtime/wire/service.ts'
import { Unread } from '../../runtime/wire/unread.ts'
import { pair, Stranger, type End, type EndOptions } from '../support/pair.ts'
import { made } from '../support/refs.ts'
import { expectIdle, gate, leftAt, never, outcome } from '../support/settling.ts'
import { seeds, World } from '../support/world.ts'

/** Passes on what comes to whatever is at the other end of this link, as `serve(child)` does. */
function relay(down: End, lazily = true): Service {
  const { calls } = down.peer
  return relayTo({
    call: (body, options) => calls.call(body, options),
    ...(lazily && { route: () => calls }),
  })
}

/** A caller, a process that passes everything on, and one that answers. */
function row(
  world: World,
  { quick = true, ...options }: EndOptions & { quick?: boolean; chunk?: number } = {},
) {
  const [up, down] = [pair(world, options), pair(world, options)]
  up.b.peer.serveWith(relay(down.a, quick))
  return { a: up.a, b: { up: up.b, down: down.a }, c: down.b, ends: [up.a, up.b, down.a, down.b], up, down }
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, at) => 255 - (at % 7))

describe.each(seeds)('P95 seed %i', seed => {
  test.each([
    [1, true],
    [100, true],
    [65_536, true],
    [100, false],
    [65_536, false],
  ])(
    'what is passed on arrives as it was sent, cut every %i bytes, without a promise: %s',
    async (chunk, quick) => {
      const world = new World(seed)
      const { a, c, ends } = row(world, { chunk, quick })
      const seen: unknown[] = []
      c.peer.serve((body: any) => {
        seen.push(body)
        if (body instanceof Ref) return body.call('back')
        if (body === 'fail') throw new TypeError('no')
        return { body }
      }, 7)
      const own = made((body: unknown) => [body, 'home'])
      const bodies = [
        1,
        null,
        'ä"\n',
        [1n, new Date(5), { a: { b: [] } }],
        bytes(3000),
        [bytes(1024), bytes(5)],
      ]
      const replies = bodies.map(body => a.peer.calls.call(body, { meta: { é: 1 } }))
      const failed = outcome(a.peer.calls.call('fail'))
      const called = a.peer.calls.call(own)
      await world.rest()
      expect(await Promise.all(replies)).toEqual(bodies.map(body => ({ body })))
      expect(seen.slice(0, bodies.length)).toEqual(bodies)
      expect([await failed, await called]).toEqual(['handler', ['back', 'home']])
      ;(seen.at(-1) as Ref).release()
      await world.rest()
      expectIdle(...ends)
    },
  )

  test('P81 P95 a thousand of them, cancelled, late and by references, settle once and leave nothing', async () => {
    const world = new World(seed)
    const { a, c, ends } = row(world, { chunk: 3000 })
    const waiting: (() => void)[] = []
    const far = made((body: number) => ({ far: body }))
    c.peer.serve((body: any, request: Request) => {
      if (body === 'ref') return far
      if (body.n % 3 === 0) return body.n
      return new Promise((resolve, reject) => {
        waiting.push(() => resolve(body.n))
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error))
      })
    }, 40)
    const ref = a.peer.calls.call('ref')
    await world.rest()
    const remote = (await ref) as Ref
    const aborting = new AbortController()
    const settled: unknown[] = []
    const calls = Array.from({ length: 1000 }, (_, n) => {
      const options = n % 5 === 4 ? { signal: aborting.signal } : {}
      const call = n % 7 === 0 ? remote.call(n) : a.peer.calls.call({ n, ref: made(() => n) }, options)
      return outcome(call).then(value => void (settled[n] = value))
    })
    for (let round = 0; round < 60; round++) {
      await world.rest()
      if (round === 20) aborting.abort()
      for (const resolve of waiting.splice(0)) resolve()
    }
    await Promise.all(calls)
    settled.forEach((value, n) => {
      if (n % 7 === 0) expect(value).toEqual({ far: n })
      else if (value !== n) expect([n % 5, value]).toEqual([4, 'cancelled'])
    })
    remote.release()
    await world.rest()
    for (const end of ends) expect(leftAt(end)[0]!.filter(([what]) => !/ports/.test(what))).toEqual([])
  })
})

describe('P95 unread', () => {
  test('a handler reads it, once or often, and gives it back as it is', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    const sizes: number[] = []
    b.peer.serveWith(
      serviceOf(
        (body: Unread) => {
          sizes.push(body.size)
          const [one, two] = [body.read(), body.read()] as any[]
          return one.equal ? { equal: one !== two && one.bytes !== two.bytes, value: two } : body
        },
        { lazy: true },
      ),
    )
    const own = made(() => 1)
    const calls = [
      a.peer.calls.call({ equal: true, bytes: bytes(2000) }),
      a.peer.calls.call({ own, bytes: [bytes(2000)] }),
      a.peer.calls.call({ own, n: 5 }, { lazy: true }),
    ]
    await world.rest()
    expect(await calls[0]).toEqual({ equal: true, value: { equal: true, bytes: bytes(2000) } })
    expect(await calls[1]).toEqual({ own, bytes: [bytes(2000)] })
    const last = (await calls[2]) as Unread
    expect([last instanceof Unread, last.read(), last.size]).toEqual([
      true,
      { own, n: 5 },
      '{:own #wat/ref 0 :n 5}'.length,
    ])
    expect(sizes).toEqual([2033, 2000 + '{:own #wat/ref 0 :bytes [#wat/bytes 0]}'.length, 22])
    expect([...a.faults, ...b.faults]).toEqual([])
  })

  test('a value that is encoded once is sent as it was then, as often as one likes, to whoever', async () => {
    // A slice of a Buffer is a view of it.
    const value = { list: [1, 2], bytes: Buffer.from(bytes(1500)), own: made(() => 'own') }
    const once = unread(value)
    value.list.push(3)
    value.bytes.fill(0)
    for (const protocol of [BASIC_PROTOCOL, 2]) {
      const world = new World(3)
      const { a, b } = pair(world, { protocol })
      b.peer.serve((body: any) => (body === 'give' ? once : [body.list, body.bytes?.length]), 5)
      const calls = [a.peer.calls.call(once), a.peer.calls.call(once), a.peer.calls.call('give')]
      const outcomes = Promise.all(calls.map(outcome))
      await world.rest()
      const same = { list: [1, 2], bytes: bytes(1500), own: value.own }
      // What knows no references cannot be given one.
      const [all, given] = protocol === BASIC_PROTOCOL ? ['encode', 'encode'] : [[[1, 2], 1500], same]
      expect(await outcomes).toEqual([all, all, given])
    }
    value.own.revoke()
  })

  test('P55 it cannot hold a stream, nor be a part of something else', () => {
    async function* items() {
      yield 1
      await never()
    }
    expect(() => unread([items()])).toThrow(/a stream is read once/)
    expect(() => unread({ a: [unread(1)] })).toThrow(/at \$\.a\[0\].*read\(\) gives its value/)
    expect(() => unread(() => 1)).toThrow(/use ref|ref\(it\)/)
  })

  test('where nobody serves yet, and to a side of version 1, it is the same', async () => {
    for (const protocol of [BASIC_PROTOCOL, 2]) {
      const world = new World(1)
      const { a, b } = pair(world, { protocol })
      const early = a.peer.calls.call(['early', bytes(1100)])
      const value = a.peer.outgoing.send({ plain: 1 })
      await world.rest()
      b.peer.serveWith(serviceOf((body: Unread) => body.read().plain ?? body, { lazy: true }))
      const late = a.peer.calls.call({ late: [] }, { lazy: true })
      const answer = a.peer.incoming.recv()
      await world.rest()
      expect([await early, ((await late) as Unread).read(), await answer]).toEqual([
        ['early', bytes(1100)],
        { late: [] },
        1,
      ])
      await value
    }
  })

  test('P55 a value that is being written cannot send one the same way', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    b.peer.serve((body: unknown) => body, 5)
    const once = unread('once')
    let inner: Promise<unknown> | undefined
    const outer = a.peer.calls.call({
      first: 'x'.repeat(100),
      get second() {
        inner ??= outcome(a.peer.calls.call(once))
        return 2
      },
    })
    await world.rest()
    expect([await inner, await outer]).toEqual(['denied', { first: 'x'.repeat(100), second: 2 }])
    expectIdle(a, b)
  })

  test('methods read what they are asked', () => {
    expect(() => serviceOf({ add: 1 }, { lazy: true })).toThrow(/methods read what they are asked/)
    expect(() => serviceOf(() => 1, { lazy: 1 as never })).toThrow(/lazy is a boolean/)
  })
})

describe('P96 what others wrote reaches no further than their own call', () => {
  /** Somebody who means harm, asking a process that passes on what it is asked, unread. */
  function attacked(seed: number, chunk = 64 * 1024) {
    const world = new World(seed)
    const stranger = new Stranger(world, { chunk })
    const down = pair(world, { chunk })
    stranger.peer.serveWith(relay(down.a))
    const served: unknown[] = []
    const secret = made(() => void served.push('secret'))
    down.b.peer.serve((body: unknown) => {
      served.push(body)
      return body === 'secret' ? secret : 'served'
    }, 50)
    // Another process's business, on the same link.
    const honest = (n: number) => down.a.peer.calls.call({ honest: n })
    return { world, stranger, down, served, secret, honest }
  }

  const bad = [
    '"',
    '"abc',
    ']',
    '}',
    '[',
    '{:a',
    ';',
    '1 ;',
    '#_',
    '\\',
    '1] #wat/stop {:grace-ms 0} [',
    '1] #wat/req [1 "secret"',
    '1] #wat/call [9 {:to 1} x',
    '1] #wat/cancel [1',
    '1]] #wat/end {} [[',
    '#wat/ref 0',
    '#wat/bytes 0',
    '#wat/stop {:grace-ms 0}',
    '1 2',
    '^x',
    '#inst "never"',
    '\r',
  ]

  test.each(bad)('a body of %j', async text => {
    for (const chunk of [1, 9, 64 * 1024]) {
      const { world, stranger, down, served, secret, honest } = attacked(1, chunk)
      const before = honest(1)
      await stranger.write(`#wat/req [1 ${text}]\n#wat/req [2 "whole"]\n`)
      const behind = honest(2)
      await stranger.write(`#wat/call [3 {:meta {:a 1}} ${text}]\n#wat/req [4 "last"]\n`)
      await world.rest()
      expect(await Promise.all([before, behind])).toEqual(['served', 'served'])
      const answers = stranger.lines.filter(line => /^#wat\/(rep|err|ret) /.test(line))
      const ids = answers.map(line => Number(/\[(\d+) /.exec(line)?.[1]))
      expect(ids.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
      for (const id of [2, 4]) expect(answers).toContain(`#wat/rep [${id} "served"]`)
      expect(down.b.stops).toEqual([])
      expect(down.b.peer.ended).toBe(false)
      expect(served.filter(body => body === 'secret')).toEqual([])
      for (const who of ['whole', 'last']) expect(served.filter(body => body === who)).toHaveLength(1)
      secret.revoke()
    }
  })

  test('P96 bytes that mark raw ones do not travel as text', async () => {
    const { world, stranger, served, honest } = attacked(2)
    const mark = Buffer.from([0xff, 1, 0, 0, 0, 40])
    const sent = Buffer.concat([
      Buffer.from('#wat/req [1 "a'),
      Buffer.from([0xff, 1, 0, 0, 0, 1, 65]),
      Buffer.from([1, 0, 0, 0, 40]),
      Buffer.from('"]\n#wat/req [2 "'),
      mark.subarray(0, 1),
      Buffer.from([2]),
      mark.subarray(1),
      Buffer.from('"]\n#wat/req [3 "whole"]\n'),
    ])
    await stranger.write(sent)
    const reply = honest(1)
    await world.rest()
    expect(await reply).toBe('served')
    expect(served.at(-1)).toEqual({ honest: 1 })
    expect(stranger.lines.filter(line => /^#wat\/(rep|err) \[[123] /.test(line))).toHaveLength(3)
    expect(stranger.lines.at(-1)).toBe('#wat/rep [3 "served"]')
  })

  const piece = fc.constantFrom(...bad, 'x', ' ', '"b"', ':k', '1', '{', ')', '#{', ',', 'ä')
  const body = fc
    .array(piece, { minLength: 1, maxLength: 5 })
    .map(pieces => pieces.join('').replaceAll('\n', ''))

  test('P96 whatever they write', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 5 }), fc.integer(), async (bodies, seed) => {
        const { world, stranger, down, served, secret, honest } = attacked(seed, 40)
        const replies: Promise<unknown>[] = []
        for (const [n, text] of bodies.entries()) {
          await stranger.write(`#wat/req [${n + 1} ${text}]\n`)
          replies.push(honest(n))
        }
        await world.rest()
        expect(await Promise.all(replies)).toEqual(bodies.map(() => 'served'))
        const ids = stranger.lines.flatMap(line => /^#wat\/(?:rep|err|ret) \[(\d+) /.exec(line)?.[1] ?? [])
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.map(Number).toSorted((a, b) => a - b)).toEqual(bodies.map((_, n) => n + 1))
        expect([down.b.stops, served.filter(one => one === 'secret'), down.b.peer.ended]).toEqual([
          [],
          [],
          false,
        ])
        expect(leftAt(down.a, down.b)).toEqual([[], []])
        secret.revoke()
      }),
      { numRuns: process.env.FUZZ_SECONDS === undefined ? 300 : 5000 },
    )
  }, 120_000)

  test('P12 P96 one that is too large for the next link is told so, and the next is served', async () => {
    const world = new World(1)
    const [up, down] = [pair(world, { maxFrame: 100_000 }), pair(world, { maxFrame: 5000 })]
    up.b.peer.serveWith(relay(down.a))
    down.b.peer.serve(() => 'served', 5)
    const calls = [
      up.a.peer.calls.call('x'.repeat(20_000)),
      up.a.peer.calls.call([bytes(20_000)]),
      up.a.peer.calls.call(1),
    ]
    const outcomes = Promise.all(calls.map(outcome))
    await world.rest()
    expect(await outcomes).toEqual(['too-large', 'too-large', 'served'])
    expectIdle(up.a, up.b, down.a, down.b)
  })

  test('P80 more than may wait are held back, and all are answered', async () => {
    const world = new World(4)
    const { a, c, ends } = row(world)
    const { open, opened } = gate()
    c.peer.serve(() => opened.then(() => 'done'), 3)
    const calls = Promise.all(
      Array.from({ length: 4 * CALL_PLACES }, () => a.peer.calls.call('x'.repeat(300))),
    )
    await world.rest()
    expect(ends[2]!.peer.load.unsentCalls! + ends[2]!.peer.load.open!).toBeLessThanOrEqual(2 * CALL_PLACES)
    open()
    await world.rest()
    expect(new Set(await calls)).toEqual(new Set(['done']))
    expectIdle(...ends)
  })
})
