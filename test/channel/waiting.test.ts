import { execFile } from 'node:child_process'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { createChannel } from '../../runtime/channel/index.ts'
import { root } from '../repo/sources.ts'
import { endThreads, Thread } from './jobs.ts'
import { fill } from './message.ts'

afterEach(endThreads)

const pattern = { seed: 3, most: 200 }
const WAYS = ['await', 'block', 'spin'] as const

describe('P43 waiting', () => {
  test.each(WAYS.flatMap(writes => WAYS.map(reads => [writes, reads] as const)))(
    'P43 one thread writes (%s), another reads (%s), and the ring is small',
    async (writes, reads) => {
      const { buffer } = createChannel({ bytes: 1024 })
      const count = 5000
      const reader = new Thread({ does: 'read', buffer, pattern, way: reads, pauses: 2, number: 1 })
      await reader.tells('ready')
      const writer = new Thread({ does: 'write', buffer, pattern, way: writes, pauses: 2, number: 2, count })
      expect(await reader.tells('read')).toEqual({ is: 'read', read: count, wrong: 0, missed: 0 })
      await Promise.all([reader.exited, writer.exited])
    },
  )

  test('P43 blocking forms give up in time', () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const reader = channel.reader()
    const timely = (work: () => unknown) => {
      const start = performance.now()
      expect(work).toThrow(expect.objectContaining({ code: 'timeout' }))
      expect(performance.now() - start).toBeGreaterThan(15)
    }
    timely(() => reader.readSync(20))
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    timely(() => writer.writeSync(new Uint8Array(100), 20))
    expect(() => writer.writeSync(new Uint8Array(100), 0)).toThrow(
      expect.objectContaining({ code: 'timeout' }),
    )
  })

  test('P43 writes and reads that wait are done in the order of the calls', async () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const reader = channel.reader()
    const writes = Array.from({ length: 50 }, (_, index) =>
      writer.write(fill(pattern, index, new Uint8Array(200))),
    )
    expect(writer.tryWrite(new Uint8Array(0))).toBe('full')
    expect(writer.tryWriteSome(new Uint8Array(1))).toBe(0)
    expect(() => writer.writeSync(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'denied' }))
    const reads = await Promise.all(Array.from({ length: 50 }, () => reader.read()))
    expect(reads).toEqual(writes.map((_, index) => fill(pattern, index, new Uint8Array(200))))
    await Promise.all(writes)
    expect(writer.tryWrite(new Uint8Array(0))).toBe('sent')
  })

  test('P43 a message that comes at any moment of a look wakes once, and the next wait is a wait', async () => {
    const { load } = Atomics
    for (let moment = 1; moment < 60; moment++) {
      const channel = createChannel()
      const writer = channel.writer()
      const reader = channel.reader()
      let looks = 0
      // As if the writer were another thread that is just that fast.
      Atomics.load = ((...args: Parameters<typeof load>) => {
        if (++looks === moment) writer.tryWrite(new Uint8Array(1))
        return load(...args)
      }) as typeof load
      const readable = reader.waitReadable()
      Atomics.load = load
      if (looks < moment) writer.tryWrite(new Uint8Array(1))
      await readable
      expect(reader.tryRead()).toHaveLength(1)
      const seen = { again: false }
      const again = reader.waitReadable()?.then(() => (seen.again = true))
      await delay(1)
      expect(seen.again).toBe(false)
      writer.tryWrite(new Uint8Array(2))
      await again
      expect(reader.tryRead()).toHaveLength(2)
    }
  })

  test('P43 reading and writing without a pause lets the event loop turn', async () => {
    const channel = createChannel()
    const [writer, reader] = [channel.writer(), channel.reader()]
    const loop = { turned: false }
    setTimeout(() => (loop.turned = true), 1)
    for (let i = 0; i < 500_000 && !loop.turned; i++) {
      await writer.write(new Uint8Array(1))
      await reader.read()
    }
    expect(loop.turned).toBe(true)
  })

  test('P43 a write that is refused does not stop those behind it', async () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const reader = channel.reader()
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    const writes = [100, 5000, 100].map(length => writer.write(new Uint8Array(length)))
    const results = Promise.allSettled(writes)
    while (reader.tryRead()) await delay(1)
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('P43 everything that waits settles when its own end is closed, or the other', async () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const [one, two] = [channel.reader(), channel.reader()]
    const reads = [one.read(), one.read(), two.read()]
    const readable = one.waitReadable()
    expect(one.waitReadable()).toBe(readable)
    one.close()
    await readable
    expect(await Promise.all(reads.slice(0, 2))).toEqual([undefined, undefined])
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    expect(await reads[2]).toHaveLength(100)
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    const write = writer.write(new Uint8Array(100))
    const writable = writer.waitWritable(500)
    two.close()
    await expect(write).rejects.toMatchObject({ code: 'offline' })
    await writable
    const three = channel.reader()
    const last = three.read()
    writer.close()
    expect(await last).toBe(undefined)
    expect(writer.waitWritable()).toBe(undefined)
    expect(three.waitReadable()).toBe(undefined)
  })

  test('P43 a writer that waits before anybody reads goes on with the first lossy reader', async () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    const write = writer.write(new Uint8Array(100))
    await delay(10)
    channel.reader({ lossy: true })
    await write
  })

  test('P43 readers leaving and coming while a writer is blocked lose no wakeup', async () => {
    const channel = createChannel({ bytes: 1024 })
    const count = 20_000
    const held = new Thread({ does: 'read', buffer: channel.buffer, pattern, number: 1 })
    await held.tells('ready')
    const writer = new Thread({ does: 'write', buffer: channel.buffer, pattern, count, number: 2 })
    const seen = { done: false }
    const told = held.tells('read').finally(() => (seen.done = true))
    const deadline = Date.now() + 20_000
    while (!seen.done && Date.now() < deadline) {
      const reader = channel.reader()
      for (let i = 0; i < 5; i++) reader.tryRead()
      reader.close()
      await delay(1)
    }
    expect(await told).toMatchObject({ read: count, wrong: 0 })
    await Promise.all([held.exited, writer.exited])
  })

  test.each(['node', 'node-oldest'])('P43 an awaited read and write keep %s running', async version => {
    const node = path.join(root, `node_modules/${version}/bin/node`)
    const { stdout } = await promisify(execFile)(node, [
      '--no-warnings',
      path.join(import.meta.dirname, 'awaits.ts'),
    ])
    expect(stdout).toBe('read 3, written, end\n')
  })
})
