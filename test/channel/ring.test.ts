import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Channel, createChannel, releaseThread } from '../../runtime/channel/index.ts'
import { AT, JOINING, layOut, SLOT, slotAt } from '../../runtime/channel/layout.ts'
import { fill, matches, type Pattern } from './message.ts'

/** Where positions begin, other than at 0: a little before they wrap, and before they change their sign. */
const STARTS = [0, -2048, 2 ** 31 - 2048, -(2 ** 31)]

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value)

describe('P42 the ring', () => {
  test('P42 a full channel says so, and keeps what it has', () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    let sent = 0
    while (writer.tryWrite(bytes(56, sent)) === 'sent') sent++
    expect(sent).toBe(16)
    expect(writer.tryWrite(bytes(0))).toBe('full')
    expect(writer.tryWriteSome(bytes(1))).toBe(0)
    const [fast, slow] = [channel.reader(), channel.reader()]
    for (let i = 0; i < sent; i++) expect(fast.tryRead()).toEqual(bytes(56, i))
    slow.close() // began where the writer was
    expect(writer.tryWrite(bytes(56))).toBe('sent')
  })

  test('P42 the slowest reader holds the writer back', () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const [fast, slow] = [channel.reader(), channel.reader()]
    for (let i = 0; i < 16; i++) writer.tryWrite(bytes(56, i))
    while (fast.tryRead()) {}
    expect(writer.tryWrite(bytes(56, 16))).toBe('full')
    expect(slow.tryRead()).toEqual(bytes(56, 0))
    expect(writer.tryWrite(bytes(56, 16))).toBe('sent')
    expect(writer.tryWrite(bytes(56, 17))).toBe('full')
    slow.close()
    expect(writer.tryWrite(bytes(56, 17))).toBe('sent')
    expect([fast.tryRead(), fast.tryRead(), fast.tryRead()]).toEqual([
      bytes(56, 16),
      bytes(56, 17),
      undefined,
    ])
  })

  test('P42 while a reader is about to come, nothing it may begin with is overwritten', () => {
    const memory = layOut(1024, 2)
    const channel = new Channel(memory)
    const writer = channel.writer()
    const reader = channel.reader()
    const pass = () => writer.tryWrite(bytes(56)) === 'sent' && reader.tryRead()?.length === 56
    for (let i = 0; i < 100; i++) expect(pass()).toBe(true)
    // Another thread has read the writer's position, and is stopped before it has written that down.
    const slot = slotAt(1)
    const begin = Atomics.load(memory.words, AT.written)
    Atomics.store(memory.words, slot + SLOT.owner, 4243)
    Atomics.store(memory.words, slot + SLOT.state, JOINING)
    let passed = 0
    while (passed < 100 && pass()) passed++
    expect(writer.tryWrite(bytes(56))).toBe('full')
    expect(Atomics.load(memory.words, AT.written) - begin).toBeLessThanOrEqual(1024)
    expect(passed).toBeGreaterThan(0)
    releaseThread(channel.buffer, 4242)
    for (let i = 0; i < 100; i++) expect(pass()).toBe(true)
  })

  test.each(STARTS)('P42 messages of every length arrive whole, from position %d', start => {
    const channel = new Channel(layOut(4096, 2, start))
    const writer = channel.writer()
    const reader = channel.reader()
    const viewer = channel.reader()
    const source = Uint8Array.from({ length: channel.maxMessage + 1 }, (_, i) => i * 7)
    for (let length = 0; length <= channel.maxMessage; length++) {
      const message = source.subarray(0, length)
      expect(writer.tryWrite(message)).toBe('sent')
      const [copy, view] = [reader.tryRead(), viewer.peek()]
      if (!copy || Buffer.compare(copy, message) !== 0)
        throw new Error(`${length} bytes came as ${copy?.length}`)
      if (!view || Buffer.compare(view, message) !== 0)
        throw new Error(`${length} bytes lay as ${view?.length}`)
      viewer.consume()
    }
    expect([reader.tryRead(), viewer.peek()]).toEqual([undefined, undefined])
    for (const write of [() => writer.tryWrite(source), () => writer.writeSync(source)])
      expect(write).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  test('P42 a message that does not fit the target stays', () => {
    const channel = createChannel()
    channel.writer().tryWrite(bytes(10))
    const reader = channel.reader()
    expect(() => reader.tryReadInto(bytes(9))).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(reader.tryReadInto(bytes(10))).toBe(10)
  })

  test('P42 a stream of bytes goes in fragments as large as there is room for', () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const reader = channel.reader()
    const stream = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) % 251)
    const received: number[] = []
    let messages = 0
    for (let sent = 0; sent < stream.length;) {
      const some = writer.tryWriteSome(stream.subarray(sent))
      sent += some
      if (some > 0) continue
      const into = bytes(channel.maxMessage)
      const length = reader.tryReadInto(into)
      received.push(...into.subarray(0, length))
      messages++
    }
    for (let message; (message = reader.tryRead()); messages++) received.push(...message)
    expect(Buffer.compare(Uint8Array.from(received), stream)).toBe(0)
    expect(messages).toBeLessThan(stream.length / 64 + 1)
    expect(writer.tryWriteSome(bytes(0))).toBe(0)
  })

  test.each(STARTS)('P42 a lossy reader is lapped and told how many it lost, from position %d', start => {
    const channel = new Channel(layOut(1024, 2, start))
    const writer = channel.writer()
    const reader = channel.reader({ lossy: true })
    const numbered = (index: number) => Uint8Array.of(index, index >> 8)
    for (let i = 0; i < 1000; i++) expect(writer.tryWrite(numbered(i))).toBe('sent')
    const first = reader.tryRead() as Uint8Array
    const index = (first[0] as number) + (first[1] as number) * 256
    expect(index).toBeGreaterThan(1000 - 64)
    expect([reader.lapped, reader.missed]).toEqual([index, index])
    expect(reader.tryRead()).toEqual(numbered(index + 1))
    expect([reader.lapped, reader.missed]).toEqual([0, index])
    expect(() => reader.peek()).toThrow(expect.objectContaining({ code: 'denied' }))
  })

  test('P42 what a lossy reader lost right before the end is counted', () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const reader = channel.reader({ lossy: true })
    for (let i = 0; i < 1000; i++) writer.tryWrite(bytes(400))
    writer.close()
    let read = 0
    while (reader.tryRead()) read++
    expect(reader.ended).toBe(true)
    expect(read + reader.missed).toBe(1000)
  })
})

/** What a channel does, as simply as it can be said. */
class Naive {
  readonly #queue: number[] = []
  readonly #at = new Map<string, number>()
  #first = true

  write(index: number): void {
    this.#queue.push(index)
  }

  join(name: string): void {
    this.#at.set(name, this.#first ? 0 : this.#queue.length)
    this.#first = false
  }

  leave(name: string): void {
    this.#at.delete(name)
  }

  has(name: string): boolean {
    return this.#at.has(name)
  }

  get deserted(): boolean {
    return !this.#first && this.#at.size === 0
  }

  read(name: string): number | undefined {
    const at = this.#at.get(name) as number
    if (at === this.#queue.length) return undefined
    this.#at.set(name, at + 1)
    return this.#queue[at]
  }

  skip(name: string, count: number): void {
    this.#at.set(name, (this.#at.get(name) as number) + count)
  }

  /** How many messages the slowest of these has not read. */
  waiting(names: string[]): number {
    return Math.max(0, ...names.map(name => this.#queue.length - (this.#at.get(name) as number)))
  }
}

describe('P42 the ring against a naive queue', () => {
  const names = ['a', 'b', 'lossy']
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), times: fc.nat(12) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        name: fc.constantFrom(...names),
        times: fc.nat(12),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('toggle' as const), name: fc.constantFrom(...names) }),
    },
  )

  test('P42 whatever is done in whatever order, readers see what a queue would give them', () => {
    const plan = fc.record({
      start: fc.constantFrom(...STARTS),
      seed: fc.nat(),
      most: fc.constantFrom(0, 8, 60, 200, 504),
      steps: fc.array(step, { maxLength: 200 }),
    })
    fc.assert(
      fc.property(plan, ({ start, seed, most, steps }) => {
        const channel = new Channel(layOut(1024, 3, start))
        const writer = channel.writer()
        const readers = new Map<string, ReturnType<Channel['reader']>>()
        const naive = new Naive()
        const pattern: Pattern = { seed, most }
        const into = new Uint8Array(most)
        let written = 0
        for (const one of steps) {
          if (one.do === 'toggle') {
            const reader = readers.get(one.name)
            if (reader) {
              reader.close()
              readers.delete(one.name)
              naive.leave(one.name)
            } else {
              readers.set(one.name, channel.reader({ lossy: one.name === 'lossy' }))
              naive.join(one.name)
            }
          } else if (one.do === 'write') {
            for (let time = 0; time < one.times; time++) {
              const result = writer.tryWrite(fill(pattern, written, into))
              expect(result === 'closed').toBe(naive.deserted)
              if (result === 'sent') naive.write(written++)
              const holding = ['a', 'b'].filter(name => naive.has(name))
              // Half of the ring is always to be had, when all have read.
              if (result === 'full' && readers.size > 0) expect(naive.waiting(holding)).toBeGreaterThan(0)
            }
          } else {
            const reader = readers.get(one.name)
            if (!reader) continue
            for (let time = 0; time < one.times; time++) {
              const length = reader.tryReadInto(into)
              if (length >= 0) naive.skip(one.name, reader.lapped)
              const index = length >= 0 || !reader.lossy ? naive.read(one.name) : undefined
              if (index === undefined) expect(length).toBe(-1)
              else expect(matches(pattern, index, into, length)).toBe(true)
            }
          }
        }
      }),
      { numRuns: 400, seed: 42 },
    )
  })
})
