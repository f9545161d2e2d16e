import { afterEach, describe, expect, test } from 'vitest'
import { createChannel, openChannel } from '../../runtime/channel/index.ts'
import { endThreads, Thread } from './jobs.ts'

afterEach(endThreads)

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('P42 who may use a channel', () => {
  test('P42 a second claim to write throws, in the same thread and in another', async () => {
    const channel = createChannel()
    channel.writer()
    expect(() => channel.writer()).toThrow(expect.objectContaining({ code: 'denied' }))
    expect(() => openChannel(channel.buffer).writer()).toThrow(expect.objectContaining({ code: 'denied' }))
    const thread = new Thread({ does: 'claim', buffer: channel.buffer })
    expect(await thread.tells('claimed')).toMatchObject({ claim: 'writer', code: 'denied' })
    expect(await thread.tells('claimed')).toMatchObject({ claim: 'reader', code: 'none' })
    await thread.exited
  })

  test('P42 of two threads that claim at the same moment one writes', async () => {
    for (let round = 0; round < 5; round++) {
      const { buffer } = createChannel({ readers: 1 })
      const threads = [1, 2].map(() => new Thread({ does: 'claim', buffer }))
      for (const claim of ['writer', 'reader']) {
        const told = await Promise.all(threads.map(thread => thread.tells('claimed')))
        expect(told.map(one => one.claim)).toEqual([claim, claim])
        expect(told.map(one => one.code).toSorted()).toEqual(['denied', 'none'])
      }
      await Promise.all(threads.map(thread => thread.exited))
    }
  })

  test('P42 a closed channel has had its writer', () => {
    const channel = createChannel()
    channel.writer().close()
    expect(() => channel.writer()).toThrow(expect.objectContaining({ code: 'denied' }))
    expect(channel.reader().ended).toBe(true)
  })

  test('P42 there are as many readers at once as places', () => {
    const channel = createChannel({ readers: 2 })
    const first = channel.reader()
    channel.reader({ lossy: true })
    expect(() => channel.reader()).toThrow(expect.objectContaining({ code: 'denied' }))
    first.close()
    first.close()
    channel.reader()
    expect(() => channel.reader()).toThrow(expect.objectContaining({ code: 'denied' }))
  })

  test('P42 a buffer that is none of a channel is malformed', () => {
    const real = createChannel({ bytes: 1024, readers: 1 }).buffer
    const changed = (word: number, value: number) => {
      const copy = new SharedArrayBuffer(real.byteLength)
      new Uint8Array(copy).set(new Uint8Array(real))
      new Int32Array(copy)[word] = value
      return copy
    }
    const longer = new SharedArrayBuffer(real.byteLength + 8)
    new Uint8Array(longer).set(new Uint8Array(real))
    const wrong = [
      new SharedArrayBuffer(0),
      new SharedArrayBuffer(100_001),
      new SharedArrayBuffer(100_000),
      new ArrayBuffer(100_000),
      undefined,
      changed(0, 1),
      changed(1, 99),
      changed(2, 1000),
      changed(2, 2 ** 31 - 1),
      changed(3, 0),
      changed(3, 2),
      longer,
    ]
    for (const buffer of wrong) {
      expect(() => openChannel(buffer as SharedArrayBuffer)).toThrow(
        expect.objectContaining({ code: 'malformed' }),
      )
    }
    expect(openChannel(real).capacity).toBe(1024)
  })

  test('P42 sizes out of bounds are refused, others rounded up', () => {
    for (const options of [
      { bytes: 0 },
      { bytes: NaN },
      { bytes: 2 ** 31 },
      { readers: 0 },
      { readers: 1.5 },
    ]) {
      expect(() => createChannel(options)).toThrow(RangeError)
    }
    expect(createChannel({ bytes: 1 }).capacity).toBe(1024)
    expect(createChannel({ bytes: 1025 }).capacity).toBe(2048)
    expect(createChannel().capacity).toBe(64 * 1024)
  })
})

describe('P42 who reads what', () => {
  test('P42 the first reader begins with the first message, every later one with the next', () => {
    const channel = createChannel()
    const writer = channel.writer()
    writer.tryWrite(bytes(1))
    const first = channel.reader()
    const second = channel.reader()
    const lossy = channel.reader({ lossy: true })
    writer.tryWrite(bytes(2))
    expect([first.tryRead(), first.tryRead(), first.tryRead()]).toEqual([bytes(1), bytes(2), undefined])
    expect([second.tryRead(), second.tryRead()]).toEqual([bytes(2), undefined])
    expect([lossy.tryRead(), lossy.tryRead()]).toEqual([bytes(2), undefined])
  })

  test('P42 a lossy reader may be the first as well', () => {
    const channel = createChannel()
    const writer = channel.writer()
    writer.tryWrite(bytes(1))
    const reader = channel.reader({ lossy: true })
    expect([reader.tryRead(), reader.tryRead(), reader.missed]).toEqual([bytes(1), undefined, 0])
  })

  test('P42 after the close readers read what there is and find the end', () => {
    const channel = createChannel()
    const writer = channel.writer()
    const reader = channel.reader()
    writer.tryWrite(bytes(1))
    writer.close()
    writer.close()
    expect(writer.tryWrite(bytes(2))).toBe('closed')
    expect(writer.tryWriteSome(bytes(2))).toBe(-1)
    expect(() => writer.writeSync(bytes(2))).toThrow(expect.objectContaining({ code: 'offline' }))
    expect(reader.ended).toBe(false)
    expect(reader.readSync()).toEqual(bytes(1))
    expect([reader.readSync(), reader.tryRead(), reader.ended]).toEqual([undefined, undefined, true])
  })

  test('P42 when every reader has gone the writer is told, until one comes again', async () => {
    const channel = createChannel()
    const writer = channel.writer()
    expect([writer.closed, writer.tryWrite(bytes(1))]).toEqual([false, 'sent'])
    const [one, two] = [channel.reader(), channel.reader({ lossy: true })]
    one.close()
    expect(writer.tryWrite(bytes(2))).toBe('sent')
    two.close()
    expect([writer.closed, writer.tryWrite(bytes(3)), writer.tryWriteSome(bytes(3))]).toEqual([
      true,
      'closed',
      -1,
    ])
    expect([two.tryRead(), two.tryReadInto(bytes(0)), two.ended]).toEqual([undefined, -1, true])
    await expect(writer.write(bytes(3))).rejects.toMatchObject({ code: 'offline' })
    const again = channel.reader()
    expect([writer.closed, writer.tryWrite(bytes(4))]).toEqual([false, 'sent'])
    expect(again.tryRead()).toEqual(bytes(4))
  })
})
