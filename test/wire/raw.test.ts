import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { BASIC_PROTOCOL, LEAST_RAW_BYTES } from '../../runtime/wire/limits.ts'
import { pair, Stranger } from '../support/pair.ts'
import { expectIdle, outcome } from '../support/settling.ts'
import { World } from '../support/world.ts'

const seeds = [1, 2, 3, 4, 5, 6]

/** Bytes of all kinds, those among them that mark raw bytes. */
function bytes(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at % 3 === 0 ? 0xff : (from + at * 7) & 0xff))
}

/** Bytes ahead of a frame, as they go over the wire. */
function raw(payload: Uint8Array, length = payload.length, kind = 1): Uint8Array {
  const header = Buffer.from([0xff, kind, 0, 0, 0, 0])
  header.writeUInt32BE(length, 2)
  return Buffer.concat([header, payload])
}

function wire(...parts: (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map(part => Buffer.from(part as string)))
}

describe.each(seeds)('P94 seed %i: bytes', seed => {
  test.each([1, 7, 1000, 65_536])('in calls, replies and values, cut every %i bytes', async chunk => {
    const world = new World(seed)
    const { a, b } = pair(world, { chunk })
    b.peer.serve((body: any) => ({ same: body, also: bytes(1500, 9) }), 4)
    const sizes = [0, 1, LEAST_RAW_BYTES - 1, LEAST_RAW_BYTES, 3000, chunk < 100 ? 5000 : 200_000]
    const answers = sizes.map(size =>
      a.peer.calls.call({ text: 'ÿ', one: bytes(size), two: [bytes(2000, size)] }),
    )
    const sent = sizes.map(size => b.peer.outgoing.send([bytes(size), 'behind']))
    const received = sizes.map(() => a.peer.incoming.recv())
    await world.rest()
    expect(await Promise.all(answers)).toEqual(
      sizes.map(size => ({
        same: { text: 'ÿ', one: bytes(size), two: [bytes(2000, size)] },
        also: bytes(1500, 9),
      })),
    )
    expect(await Promise.all(received)).toEqual(sizes.map(size => [bytes(size), 'behind']))
    await Promise.all(sent)
    expect([...a.faults, ...b.faults]).toEqual([])
    expectIdle(a, b)
  })
})

describe('P94 what goes raw', () => {
  test('is what has a KiB, to a side that knows it; others get base64', async () => {
    for (const protocol of [BASIC_PROTOCOL, 2]) {
      const world = new World(1)
      const { a, b, ab } = pair(world, { protocol })
      b.peer.serve((body: unknown) => body, 1)
      const big = bytes(30_000)
      const call = a.peer.calls.call([big, new Uint8Array(3)])
      await world.rest()
      expect(await call).toEqual([big, new Uint8Array(3)])
      expect(ab.delivered > 40_000).toBe(protocol === BASIC_PROTOCOL)
    }
  })

  test('is so of plain values too', async () => {
    for (const protocol of [BASIC_PROTOCOL, 2]) {
      const world = new World(1)
      const { a, b, ab } = pair(world, { protocol })
      const big = bytes(30_000)
      void a.peer.outgoing.send(big)
      const value = b.peer.incoming.recv()
      await world.rest()
      expect(await value).toEqual(big)
      expect(ab.delivered > 40_000).toBe(protocol === BASIC_PROTOCOL)
    }
  })

  test('arrives as an array of its own, and the same bytes twice as one', async () => {
    const world = new World(1)
    const { a, b } = pair(world)
    b.peer.serve(([one, two, three]: Uint8Array[]) => [one === two, one === three, one!.buffer.byteLength], 1)
    const one = bytes(2000)
    const call = a.peer.calls.call([one, one, Uint8Array.from(one)])
    one.fill(0) // it was sent as it was
    await world.rest()
    expect(await call).toEqual([true, false, 2000])
  })

  test('P16 counts as part of its frame, which is refused where it is too large, whoever sends it', async () => {
    const world = new World(1)
    const { a, b } = pair(world, { maxFrame: 10_000 })
    b.peer.serve(() => 'taken', 1)
    expect(await outcome(a.peer.calls.call(bytes(10_000)))).toBe('too-large')
    const fits = a.peer.calls.call([bytes(5000), bytes(4900)])
    await world.rest()
    expect(await fits).toBe('taken')
    const other = new World(2)
    const stranger = new Stranger(other, { maxFrame: 10_000 })
    stranger.peer.serve(() => 'taken', 1)
    await stranger.write(
      wire(raw(bytes(9000)), raw(bytes(9000)), '#wat/req [1 #wat/bytes 1]\n#wat/req [2 x]\n'),
    )
    expect(stranger.lines.at(-2)).toContain('#wat/err [1 {:type :wat/too-large')
    expect(stranger.lines.at(-1)).toBe('#wat/rep [2 "taken"]')
    await stranger.write(wire(raw(bytes(9990)), '#wat/req [3 [#wat/bytes 0 ""]]\n'))
    expect(stranger.lines.at(-1)).toContain('#wat/err [3 {:type :wat/too-large')
    expect(stranger.end.faults).toHaveLength(2)
    await stranger.write(raw(bytes(0), 2 ** 32 - 1))
    expect(stranger.end.held).toBeLessThan(1000)
    stranger.into.breakWriter()
    await other.rest()
    expect(stranger.end.faults.at(-1)).toMatchObject({ code: 'malformed', data: { incomplete: true } })
  })
})

describe('P94 hostile bytes', () => {
  const kilo = bytes(1024)
  test.each<[string, Uint8Array, (string | RegExp)[], number]>([
    ['that no frame names', wire(raw(kilo), '#wat/req [1 x]\n#wat/req [2 x]\n'), [/rep \[1/, /rep \[2/], 0],
    [
      'of the frame before',
      wire(raw(kilo), '#wat/req [1 x]\n#wat/req [2 #wat/bytes 0]\n'),
      [/rep \[1/, /err \[2 .*malformed/],
      1,
    ],
    ['that did not come', wire('#wat/req [1 #wat/bytes 0]\n'), [/err \[1 .*malformed/], 1],
    ['of another place', wire(raw(kilo), '#wat/req [1 #wat/bytes 1]\n'), [/err \[1 .*malformed/], 1],
    [
      'of a place that is none',
      wire(
        raw(kilo),
        '#wat/req [1 [#wat/bytes -1]]\n#wat/req [2 #wat/bytes "="]\n#wat/req [3 #wat/bytes nil]\n',
      ),
      [/err \[1/, /err \[2/, /err \[3/],
      3,
    ],
    [
      'inside a form',
      wire('#wat/req [1 ', raw(kilo), '5]\n#wat/req [2 x]\n'),
      [/err \[1 .*malformed/, /rep \[2/],
      1,
    ],
    [
      'inside a string',
      wire('#wat/req [1 "a', raw(Buffer.from('b')), 'c"]\n#wat/req [2 x]\n'),
      [/err \[1 .*malformed/, /rep \[2/],
      1,
    ],
    ['of another kind', wire(raw(Buffer.from('abc'), 3, 2), '\n#wat/req [2 x]\n'), [/rep \[2/], 1],
    ['without a kind', wire(Uint8Array.of(0xff), '\n#wat/req [2 x]\n'), [/rep \[2/], 1],
    ['of no length', wire(raw(new Uint8Array(0)), '#wat/req [1 #wat/bytes 0]\n'), [/rep \[1/], 0],
    [
      'that look like a frame',
      wire(raw(Buffer.from('\n#wat/req [9 x]\n')), '#wat/req [1 x]\n'),
      [/rep \[1/],
      0,
    ],
    [
      'ahead of a frame of control',
      wire(raw(kilo), '#wat/cancel [7]\n#wat/req [1 #wat/bytes 0]\n'),
      [/err \[1 .*malformed/],
      1,
    ],
  ])('%s', async (_, sent, answers, faults) => {
    for (const chunk of [1, 5, 64 * 1024]) {
      const stranger = new Stranger(new World(3), { chunk })
      stranger.peer.serve(() => 'served', 1)
      await stranger.write(sent)
      const lines = stranger.lines.filter(line => /^#wat\/(rep|err)/.test(line))
      expect(lines).toHaveLength(answers.length)
      answers.forEach((answer, at) => expect(lines[at]).toMatch(answer))
      expect(stranger.end.faults.map(({ code }) => code)).toEqual(
        Array.from({ length: faults }, () => 'malformed'),
      )
      await stranger.write('#wat/req [77 x]\n')
      expect(stranger.lines.at(-1)).toBe('#wat/rep [77 "served"]')
      expect(stranger.end.held).toBe(0)
    }
  })

  test.each(['#wat/req [1 x]', ''])('P94 cut anywhere by the end of the input, behind %j', async before => {
    const whole = wire(before, raw(kilo), '#wat/req [2 #wat/bytes 0]')
    for (let end = before.length + 1; end < whole.length; end += end < before.length + 9 ? 1 : 211) {
      const world = new World(4)
      const stranger = new Stranger(world, { chunk: 100 })
      stranger.peer.serve(() => 'served', 1)
      await stranger.write(whole.subarray(0, end))
      stranger.into.breakWriter()
      await world.rest()
      expect([end, ...stranger.end.faults.map(({ code }) => code)]).toEqual([end, 'malformed'])
      expect(stranger.peer.ended).toBe(true)
    }
  })

  test('P94 a side that does not know them takes the mark for what it is: no text', async () => {
    const stranger = new Stranger(new World(5), { protocol: BASIC_PROTOCOL })
    stranger.peer.serve(() => 'served', 1)
    await stranger.write(wire(raw(kilo.subarray(0, 11)), '\n#wat/req [2 x]\n'))
    expect(stranger.lines.at(-1)).toBe('#wat/rep [2 "served"]')
    expect(stranger.end.faults).toHaveLength(1)
  })
})
