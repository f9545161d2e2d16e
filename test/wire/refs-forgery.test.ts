import { describe, expect, test } from 'vitest'
import { CALL_WINDOW_BYTES, MAX_REFS } from '../../runtime/wire/limits.ts'
import { Ref } from '../../runtime/wire/refs/ref.ts'
import { hostile } from '../support/hostile-frames.ts'
import { Stranger, type StrangerOptions } from '../support/pair.ts'
import { made } from '../support/refs.ts'
import { expectNothingLeft, leftAt, never, outcome } from '../support/settling.ts'
import { World } from '../support/world.ts'

/** What has been called at the victim: who, and with what. */
type Called = [who: string, body: unknown][]

/** A victim that has given a stranger one reference, number 1, and has another that it gave nobody. */
async function victim(options: StrangerOptions = {}) {
  const world = new World(1)
  const stranger = new Stranger(world, options)
  const called: Called = []
  const open = made((body: unknown) => {
    called.push(['open', body])
    letGo(body)
    return 'open'
  }).dup()
  const secret = made((body: unknown) => void called.push(['secret', body]))
  stranger.peer.serve((body: unknown) => {
    called.push(['main', body])
    letGo(body)
    return 'main'
  }, 10)
  const call = outcome(stranger.peer.calls.call([open]))
  await world.rest()
  await stranger.write('#wat/rep [1 nil]\n')
  await call
  return { world, stranger, called, open, secret }
}

/** Whoever gets a reference and does not want it releases it. */
function letGo(body: unknown): void {
  if (body instanceof Ref) body.release()
  else if (body instanceof Map) for (const pair of body) letGo(pair)
  else if (Array.isArray(body) || body instanceof Set) for (const item of body) letGo(item)
  else if (typeof body === 'object' && body !== null) for (const item of Object.values(body)) letGo(item)
}

describe.each(Object.keys(hostile))('P83 P86 %s', kind => {
  test.each(Object.keys(hostile[kind]!))('P83 %s', async text => {
    const { stranger, called, open } = await victim()
    const expected = hostile[kind]![text]!
    const before = stranger.lines.length
    await stranger.write(`${text}\n`)
    const answers = stranger.lines.slice(before).filter(line => /^#wat\/(err|rep|ret) \[5 /.test(line))
    expect(answers).toHaveLength(expected.answer === undefined ? 0 : 1)
    expect(answers.join()).toContain(expected.answer ?? '')
    expect(stranger.end.faults.map(({ code }) => code)).toEqual(expected.fault ? [expected.fault] : [])
    // Nothing was reached that it was not for, what it brought has gone back, and what follows is served.
    expect(called.map(([who]) => who)).toEqual(
      expected.answer === 'open' || expected.answer === 'main' ? [expected.answer] : [],
    )
    expect(leftAt(stranger.end)).toEqual([[['exports', 1]]])
    await stranger.write('#wat/call [9 {:to 1} "still"]\n')
    expect([stranger.lines.at(-1), called.at(-1)]).toEqual(['#wat/rep [9 "open"]', ['open', 'still']])
    open.revoke()
    stranger.end.abort()
    expectNothingLeft(stranger.end)
  })
})

describe('numbers', () => {
  test('P83 P84 one that was released or revoked is denied, and comes home as one that works no more', async () => {
    const { stranger, called, open, world } = await victim()
    await stranger.write('#wat/release [1 9007199254740991]')
    expect(stranger.peer.load.exports).toBe(0)
    const home = '#wat/call [5 {:refs [-1 -1 -2]} [#wat/ref 0 #wat/ref 1 #wat/ref 2]]'
    await stranger.write(`#wat/call [4 {:to 1} x] ${home}`)
    expect(stranger.lines.at(-2)).toContain('#wat/err [4 {:type :wat/denied')
    const [, refs] = called.at(-1) as [string, Ref[]]
    for (const ref of refs) {
      expect(ref).not.toBe(open)
      expect(await outcome(ref.call(1))).toBe('denied')
      ref.dup().release()
      expect(() => ref.revoke()).not.toThrow() // of nothing
    }
    expect(await open.call(1)).toBe('open') // the maker's own
    open.revoke()
    await world.rest()
    expectNothingLeft(stranger.end)
  })

  test('P83 a number that is used again while its request is open, or waits, is answered each time', async () => {
    const { stranger, world } = await victim()
    const ends: (() => void)[] = []
    const slow = made(() => new Promise<void>(resolve => ends.push(resolve)), { concurrency: 1 }).dup()
    void stranger.peer.calls.call([slow]).catch(() => {})
    await world.rest()
    await stranger.write('#wat/call [5 {:to 2} x] '.repeat(5))
    await stranger.write('#wat/cancel [5] #wat/cancel [5] #wat/cancel [5]')
    for (let n = 0; n < 5; n++) {
      ends.shift()?.()
      await world.rest()
    }
    slow.revoke()
    await world.rest()
    expect(stranger.peer.load).toMatchObject({
      handled: 0,
      inFlight: 0,
      wanted: 0,
      waiting: 0,
      waitingBytes: 0,
    })
    stranger.end.abort()
    expectNothingLeft(stranger.end)
  })

  test('P83 a reply with a head answers any request, once', async () => {
    const { stranger } = await victim()
    const call = stranger.peer.calls.call('plain')
    await stranger.write(
      '#wat/ret [2 {:refs [[3 {:address "/far"}]]} [#wat/ref 0]] #wat/ret [2 {:refs [[4 {}]]} #wat/ref 0]',
    )
    const [ref] = (await call) as [Ref]
    expect(ref.address).toBe('/far')
    // The second one is late, and what it brought has gone back.
    expect(stranger.lines.at(-1)).toBe('#wat/release [4 1]')
    ref.release()
    expect(stranger.end.faults).toEqual([])
    const next = outcome(stranger.peer.calls.call('next'))
    await stranger.write('#wat/ret [3 {:refs [[5 {}] 0]} #wat/ref 0]')
    expect(await next).toBe('malformed')
  })

  test('P84 what a number is said to have ended with is a reason, whatever it is', async () => {
    const { stranger, called, world } = await victim()
    const faults = [
      'nil',
      '5',
      '"x"',
      '{}',
      '[1]',
      '{:type 5}',
      '{:type :wat/offline :data {:exit {:code 7}}}',
    ]
    const kept: Ref[] = []
    const keeper = made((ref: Ref) => void kept.push(ref)).dup()
    void stranger.peer.calls.call([keeper]).catch(() => {})
    await world.rest()
    for (const [n, text] of faults.entries()) {
      await stranger.write(
        `#wat/call [5 {:to 2 :refs [[${n + 7} {}]]} #wat/ref 0] #wat/gone [${n + 7} ${text}]`,
      )
      const { code, message } = await (kept.at(-1) as Ref).closed
      expect([typeof code, typeof message]).toEqual(['string', 'string'])
      expect(await outcome((kept.at(-1) as Ref).call(1))).toBe(code)
    }
    expect(((await (kept.at(-1) as Ref).closed).data as any).exit).toEqual({ code: 7 })
    expect([called, stranger.peer.load.imports, stranger.end.faults]).toEqual([[], 0, []])
    keeper.revoke()
  })
})

describe('by the million', () => {
  const million = 1_000_000

  test('P86 a frame of a million mentions is refused, and its request told', async () => {
    for (const [mention, count] of [
      ['-9 ', million],
      ['7 ', million / 5],
      ['[7{}]', million / 5],
    ] as const) {
      const { stranger } = await victim({ capacity: 1e8 })
      await stranger.write(`#wat/call [5 {:to 1 :refs [${mention.repeat(count)}]} x]\n`)
      expect(stranger.lines.at(-1)).toContain('#wat/err [5 {:type :wat/malformed')
      expect(leftAt(stranger.end)).toEqual([[['exports', 1]]])
    }
  })

  test('P86 more references than a link takes are refused, with all that came with them', async () => {
    const { stranger, called, world } = await victim({ capacity: 1e8 })
    const frame = (id: number, first: number, count: number, body: string) => {
      const mentions = Array.from({ length: count }, (_, n) => `[${first + n}{}]`).join('')
      return `#wat/call [${id} {:to 1 :refs [${mentions}]} ${body}]\n`
    }
    await stranger.write(frame(5, 1, MAX_REFS + 1, 'x'))
    expect(stranger.lines.findLast(line => line.startsWith('#wat/err'))).toContain(
      '#wat/err [5 {:type :wat/malformed',
    )
    await stranger.write(frame(6, 100_000, MAX_REFS + 1, '#wat/ref 0'))
    await world.rest()
    expect(stranger.lines.findLast(line => line.startsWith('#wat/err'))).toContain(
      '#wat/err [6 {:type :wat/malformed',
    )
    expect([called, leftAt(stranger.end)]).toEqual([[], [[['exports', 1]]]])
    const counted = stranger.lines
      .filter(line => line.startsWith('#wat/release'))
      .reduce((sum, line) => sum + (line.split(' ').length - 1) / 2, 0)
    expect(counted).toBe(2 * MAX_REFS)
  }, 20_000)

  test('P86 a million releases, ends and cancels of nothing are read and forgotten', async () => {
    const { stranger } = await victim({ capacity: 1e8 })
    await stranger.write(`#wat/release [${'2 1 '.repeat(million)}]\n`)
    await stranger.write('#wat/release [2 1]#wat/gone [9 nil]#wat/cancel [3]\n'.repeat(million / 40))
    expect(stranger.end.faults).toEqual([])
    await stranger.write('#wat/call [9 {:to 1} "still"]\n')
    expect(stranger.lines.at(-1)).toBe('#wat/rep [9 "open"]')
    expect(leftAt(stranger.end)).toEqual([[['exports', 1]]])
  })

  test('P80 requests to a reference that is busy are read as far as there is credit', async () => {
    const { stranger, world } = await victim({ capacity: 1e6, maxFrame: 1e6 })
    const busy = made((body: unknown) => (letGo(body), never()), { concurrency: 1 }).dup()
    void stranger.peer.calls.call([busy]).catch(() => {})
    await world.rest()
    let id = 10
    const line = () => `#wat/call [${id++} {:to 2 :refs [[${id} {}]]} [#wat/ref 0 "${'x'.repeat(10_000)}"]]\n`
    let taken = true
    for (let n = 0; taken && n < 50; n++)
      taken = await stranger.write(Array.from({ length: 50 }, line).join(''))
    expect(taken).toBe(false)
    expect(stranger.peer.held).toBeLessThan(2 * CALL_WINDOW_BYTES)
    busy.revoke()
    await world.rest()
    expect(stranger.peer.load).toMatchObject({ waiting: 0, waitingBytes: 0 })
    expect(stranger.peer.load.imports).toBeLessThanOrEqual(1) // what has begun is its handler's until garbage takes it
    stranger.end.abort()
  })
})
