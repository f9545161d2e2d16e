import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createChannel, releaseThread } from '../../runtime/channel/index.ts'
import { endThreads, Thread } from './jobs.ts'
import { matches } from './message.ts'

afterEach(endThreads)

const pattern = { seed: 5, most: 300 }

describe('P43 the death of a thread', () => {
  test('P43 a dead reader holds the writer back no more', async () => {
    const { buffer, ...rest } = ends()
    const thread = new Thread({ does: 'hang', buffer, way: 'await' })
    await thread.tells('ready')
    const { writer, reader } = rest
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') while (reader.tryRead()) {}
    const write = writer.write(new Uint8Array(100))
    await thread.kill()
    releaseThread(buffer, thread.id)
    releaseThread(buffer, thread.id)
    await write
    expect(reader.tryRead()).toHaveLength(100)
  })

  test('P43 after the death of the only reader the writer is told', async () => {
    const channel = createChannel({ bytes: 1024 })
    const writer = channel.writer()
    const thread = new Thread({ does: 'hang', buffer: channel.buffer, way: 'await' })
    await thread.tells('ready')
    while (writer.tryWrite(new Uint8Array(100)) === 'sent') {}
    const write = writer.write(new Uint8Array(100))
    await thread.kill()
    releaseThread(channel.buffer, thread.id)
    await expect(write).rejects.toMatchObject({ code: 'offline' })
  })

  test('P43 after the death of the writer readers read what is whole and find the end', async () => {
    const channel = createChannel()
    const thread = new Thread({ does: 'hang', buffer: channel.buffer, pattern, count: 100 })
    await thread.tells('ready')
    await thread.kill()
    const reader = channel.reader()
    const lossy = channel.reader({ lossy: true })
    for (let index = 0; index < 100; index++) {
      const message = await reader.read()
      if (!message || !matches(pattern, index, message, message.length)) throw new Error(`message ${index}`)
    }
    const end = [reader.read(), lossy.read()]
    releaseThread(channel.buffer, thread.id)
    expect(await Promise.all(end)).toEqual([undefined, undefined])
    expect(() => channel.writer()).toThrow(expect.objectContaining({ code: 'denied' }))
  })

  test('P43 threads that others hold are left alone', async () => {
    const { buffer, writer, reader } = ends()
    releaseThread(buffer, 4242)
    expect(writer.tryWrite(new Uint8Array(1))).toBe('sent')
    expect([reader.tryRead(), reader.ended]).toEqual([new Uint8Array(1), false])
    expect(() => releaseThread(new SharedArrayBuffer(8), 0)).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    )
  })

  test('P43 a writer killed in the midst of writing leaves no half message', async () => {
    for (let round = 0; round < 8; round++) {
      const channel = createChannel({ bytes: 4096 })
      const reader = channel.reader()
      const thread = new Thread({ does: 'churn', buffer: channel.buffer, pattern })
      await thread.tells('ready')
      const reading = (async () => {
        let index = 0
        for await (const message of reader) {
          if (!matches(pattern, index++, message, message.length)) throw new Error(`message ${index}`)
        }
        return index
      })()
      await delay(round * 3)
      await thread.kill()
      releaseThread(channel.buffer, thread.id)
      expect(await reading).toBeGreaterThanOrEqual(0)
    }
  })

  test('P43 a reader killed in the midst of reading leaves the others whole and the writer going', async () => {
    for (let round = 0; round < 8; round++) {
      const { buffer, writer, reader } = ends()
      const thread = new Thread({ does: 'churn', buffer, way: 'await' })
      await thread.tells('ready')
      const writing = { on: true }
      const flow = (async () => {
        let count = 0
        while (writing.on) {
          await writer.write(new Uint8Array(100).fill(count))
          if (reader.tryRead()?.[0] !== (count++ & 255)) throw new Error(`message ${count}`)
          if (count % 100 === 0) await delay(0)
        }
      })()
      await delay(round * 3)
      await thread.kill()
      releaseThread(buffer, thread.id)
      await delay(5)
      writing.on = false
      await flow
      for (let i = 0; i < 100; i++) {
        expect(writer.tryWrite(new Uint8Array(400))).toBe('sent')
        expect(reader.tryRead()).toHaveLength(400)
      }
    }
  })

  function ends() {
    const channel = createChannel({ bytes: 1024 })
    return { buffer: channel.buffer, writer: channel.writer(), reader: channel.reader() }
  }
})
