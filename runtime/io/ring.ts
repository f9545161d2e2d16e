import { Buffer } from 'node:buffer'
import type { ChannelReader, ChannelWriter } from '../channel/index.ts'
import { KeepAlive } from '../channel/keep-alive.ts'
import { patiently } from './patience.ts'
import type { Sink, Source } from './pipe.ts'

/** So much is read at once before others in this thread have a turn. */
const TURN_BYTES = 256 * 1024

/** The bytes of a channel in shared memory. */
export class RingSource implements Source {
  readonly #reader: ChannelReader
  readonly #buffer: Buffer
  readonly #keepAlive = new KeepAlive()
  #onBytes: (chunk: Uint8Array) => void = () => {}
  #onEnd = () => {}
  #flowing = false
  #reading = false
  #ended = false

  constructor(reader: ChannelReader, maxMessage: number) {
    this.#reader = reader
    this.#buffer = Buffer.allocUnsafeSlow(maxMessage)
  }

  open(onBytes: (chunk: Uint8Array) => void, onEnd: () => void): void {
    this.#onBytes = onBytes
    this.#onEnd = onEnd
  }

  pause(): void {
    this.#flowing = false
  }

  resume(): void {
    this.#flowing = true
    if (!this.#reading) void this.#read()
  }

  setRef(on: boolean): void {
    this.#keepAlive.set(on && !this.#ended)
  }

  close(): void {
    this.#reader.close()
    this.#end()
  }

  async #read(): Promise<void> {
    this.#reading = true
    await Promise.resolve() // whoever resumes is not called back before that is done
    while (this.#flowing && !this.#ended) {
      if (!this.#turn()) await new Promise(resolve => setImmediate(resolve))
      else if (this.#reader.ended) this.#end()
      else if (this.#flowing) await this.#reader.waitReadable()
    }
    this.#reading = false
  }

  /** Reads what is there; false when there is more than a turn's worth. */
  #turn(): boolean {
    let left = TURN_BYTES
    while (this.#flowing && !this.#ended) {
      if (left <= 0) return false
      const length = this.#reader.tryReadInto(this.#buffer)
      if (length < 0) return true
      left -= length
      this.#onBytes(this.#buffer.subarray(0, length))
    }
    return true
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#keepAlive.set(false)
    this.#onEnd()
  }
}

/** Writes to a channel in shared memory. */
export class RingSink implements Sink {
  readonly #writer: ChannelWriter
  readonly #keepAlive = new KeepAlive()
  #chunks: Uint8Array[] = []
  /** Of the write that waits for room. */
  #done: ((error?: Error) => void) | undefined

  constructor(writer: ChannelWriter) {
    this.#writer = writer
  }

  write(chunks: Uint8Array[], done: (error?: Error) => void): void {
    this.#chunks = chunks
    const error = this.#put()
    if (this.#chunks.length === 0 || error) return done(error)
    chunks.push(Buffer.from(chunks.pop() as Uint8Array)) // the memory of the last one is no longer ours
    this.#keepAlive.set(true)
    this.#done = done
    void this.#finish(done)
  }

  get held(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  relieve(leave: number, patienceMs: number): boolean {
    const step = () => {
      const error = this.#put()
      if (this.#chunks.length > 0 && !error) return false
      this.#settle(error)
      return true
    }
    return patiently(step, () => this.held, leave, patienceMs)
  }

  writeSync(chunks: Uint8Array[]): void {
    const { maxMessage } = this.#writer
    try {
      for (const chunk of [...this.#chunks, ...chunks]) {
        for (let start = 0; start < chunk.length; start += maxMessage) {
          this.#writer.writeSync(chunk.subarray(start, start + maxMessage))
        }
      }
    } catch {
      // nobody will ever read it
    }
    this.#chunks = []
  }

  end(done: () => void): void {
    this.#writer.close()
    done()
  }

  close(): void {
    this.#writer.close()
  }

  async #finish(done: (error?: Error) => void): Promise<void> {
    let error: Error | undefined
    while (!error && this.#chunks.length > 0) {
      await this.#writer.waitWritable()
      if (this.#done !== done) return // it was relieved of it
      error = this.#put()
    }
    this.#settle(error)
  }

  #settle(error?: Error): void {
    const done = this.#done
    this.#done = undefined
    this.#keepAlive.set(false)
    done?.(error)
  }

  /** Writes what there is room for. */
  #put(): Error | undefined {
    for (;;) {
      const [chunk] = this.#chunks
      if (!chunk) return undefined
      const written = this.#writer.tryWriteSome(chunk)
      if (written < 0) {
        this.#chunks = []
        return Object.assign(new Error('the channel is closed'), { code: 'EPIPE' })
      }
      if (written === chunk.length) this.#chunks.shift()
      else if (written === 0) return undefined
      else this.#chunks[0] = chunk.subarray(written)
    }
  }
}
