import { Buffer } from 'node:buffer'
import { Gathered } from '../io/gathered.ts'
import type { Sink, Source } from '../io/pipe.ts'

/** What may be on its way on one lane, and wait at its end, before the reader has taken any of it. */
export const WINDOW_BYTES = 256 * 1024

/** The reading end of a lane. */
export class InLane implements Source {
  #queue = new Gathered()
  #taken = 0
  #flowing = false
  #pumping = false
  #ended = false
  #told = false
  #onBytes: (chunk: Uint8Array) => void = () => {}
  #onEnd = () => {}
  readonly #windowUpdate: (bytes: number) => void

  constructor(windowUpdate: (bytes: number) => void) {
    this.#windowUpdate = windowUpdate
  }

  open(onBytes: (chunk: Uint8Array) => void, onEnd: () => void): void {
    this.#onBytes = onBytes
    this.#onEnd = onEnd
    if (this.#ended && this.#queue.length === 0) queueMicrotask(() => this.#pump())
  }

  pause(): void {
    this.#flowing = false
  }

  resume(): void {
    this.#flowing = true
    this.#pump()
  }

  setRef(): void {} // the connection decides

  /** Drops what comes from now on. */
  close(): void {
    this.#queue = new Gathered()
    this.#onBytes = () => {}
    this.#flowing = true
    this.end()
  }

  /** A piece has come; false when it is more than was granted. Its memory is the caller's. */
  offer(piece: Uint8Array): boolean {
    if (this.#ended) return true
    this.#queue.add(piece)
    if (this.#queue.length > WINDOW_BYTES) return false
    this.#pump()
    return true
  }

  /** No more will come. */
  end(): void {
    this.#ended = true
    this.#pump()
  }

  #pump(): void {
    if (this.#pumping) return // who is given a piece may ask for more
    this.#pumping = true
    while (this.#flowing && this.#queue.length > 0) {
      const piece = this.#queue.take()
      this.#taken += piece.length
      this.#onBytes(piece)
    }
    this.#pumping = false
    if (this.#taken >= WINDOW_BYTES / 2) {
      this.#windowUpdate(this.#taken)
      this.#taken = 0
    }
    if (!this.#ended || this.#told || this.#queue.length > 0) return
    this.#told = true
    this.#onEnd()
  }
}

/** The writing end of a lane. */
export class OutLane implements Sink {
  #chunks: Uint8Array[] = []
  #done: ((error?: Error) => void) | undefined
  #credit = WINDOW_BYTES
  #gone = false
  /** Sends so many bytes of a chunk; false when no more should be sent for now. */
  readonly #send: (chunk: Uint8Array, length: number) => boolean
  readonly #sendFin: () => void

  constructor(send: (chunk: Uint8Array, length: number) => boolean, sendFin: () => void) {
    this.#send = send
    this.#sendFin = sendFin
  }

  write(chunks: Uint8Array[], done: (error?: Error) => void): void {
    if (this.#gone) return done(brokenPipe())
    this.#chunks = chunks
    this.#done = done
    this.pump()
    // The memory of the last chunk is no longer ours.
    if (this.#chunks.length > 0) this.#chunks.push(Buffer.from(this.#chunks.pop() as Uint8Array))
  }

  /** The connection cannot block: what it does not take in time is lost with this process. */
  writeSync(chunks: Uint8Array[]): void {
    for (const chunk of [...this.#chunks, ...chunks]) this.#send(chunk, chunk.length)
    this.#chunks = []
  }

  end(done: () => void): void {
    if (!this.#gone) this.#sendFin()
    done()
  }

  close(): void {
    this.abort()
  }

  /** The other side has taken so much. */
  windowUpdate(bytes: number): void {
    this.#credit += bytes
    this.pump()
  }

  /** Nobody will take anything any more. */
  abort(): void {
    if (this.#gone) return
    this.#gone = true
    this.#chunks = []
    this.#finish(brokenPipe())
  }

  pump(): void {
    let free = true
    while (free && this.#credit > 0) {
      const [chunk] = this.#chunks
      if (!chunk) break
      const length = Math.min(chunk.length, this.#credit)
      this.#credit -= length
      if (length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(length)
      free = this.#send(chunk, length)
    }
    if (this.#chunks.length === 0 && free) this.#finish()
  }

  #finish(error?: Error): void {
    const done = this.#done
    this.#done = undefined
    done?.(error)
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('the connection is gone'), { code: 'EPIPE' })
}
