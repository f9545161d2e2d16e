import { Buffer } from 'node:buffer'
import { Out } from '../edn/out.ts'
import { located, rejection, siteHere } from '../edn/stack.ts'
import type { WatError } from '../error.ts'
import { writeWithin } from './fit.ts'
import { brokenPipe, ended, overloaded } from './broken-pipe.ts'
import type { LineWriter } from './frames.ts'
import { BATCH_BYTES, CHUNK_BYTES, HIGH_WATER_BYTES, MAX_QUEUED_BYTES } from './limits.ts'
import type { Sink } from '../io/pipe.ts'

/**
 * What waits to be written to one pipe. Frames of one tick go out in one write, and a write goes out
 * as soon as a batch is full: a write per frame costs more than the frame.
 */
export class Outbox {
  /** The batch that grows; what waits beyond it stands in chunks. */
  readonly #out = new Out()
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  /** Settles with the batch: one promise for all who sent a part of it. */
  #taken: PromiseWithResolvers<void> | undefined
  /** The batch holds lines of which nobody awaits the writing. */
  #unawaited = false
  /** The same of the batch in flight, until the sink has taken it; of one that it could not take, for good. */
  #flying: PromiseWithResolvers<void> | undefined
  #writing = false
  #inFlight = 0
  #scheduled = false
  #ending = false
  readonly #endings: (() => void)[] = []
  #finished = false
  #closed = false
  #broken = false
  #failure: WatError | undefined
  #sink: Sink | undefined
  readonly #flushScheduled = () => {
    this.#scheduled = false
    this.flush()
  }
  readonly #onDrain: () => void
  /** Whoever owns the outbox says with `abort` what to tell the senders. `silently`: a loss that none of them awaits. */
  readonly #onBroken: (error: WatError, silently: boolean) => void

  constructor(onDrain: () => void, onBroken: (error: WatError, silently: boolean) => void) {
    this.#onDrain = onDrain
    this.#onBroken = onBroken
  }

  /** Gives the pipe to write to; what was pushed before has waited for it, and goes behind `greeting`. */
  attach(sink: Sink, greeting?: string): void {
    if (this.#failure) return sink.close()
    if (greeting !== undefined) this.#unshift(greeting)
    this.#sink = sink
    this.flush()
  }

  /** Bytes accepted and not yet taken by the pipe. */
  get queued(): number {
    return this.#inFlight + this.#chunkBytes + this.#out.length
  }

  /** The same to the byte, as far as the pipe can tell: it changes when something is taken. */
  get unwritten(): number {
    const left = (this.#writing ? this.#sink?.held : undefined) ?? this.#inFlight
    return left + this.#chunkBytes + this.#out.length
  }

  /** Whether whoever can wait should wait. */
  get full(): boolean {
    return this.queued >= HIGH_WATER_BYTES
  }

  get closed(): boolean {
    return this.#failure !== undefined || this.#ending || this.#broken
  }

  /** Why nothing can be written any more. */
  get failure(): WatError | undefined {
    return this.#failure ?? (this.#ending ? ended() : undefined)
  }

  /**
   * Queues one line, written straight behind what waits. Throws what `write` throws, and `too-large` when the
   * other side would refuse it; then nothing is queued.
   */
  add(write: LineWriter, id: number, body: unknown, maxFrame: number): void {
    if (this.failure) return
    this.#write(write, id, body, maxFrame)
    this.#unawaited = true
    this.#added()
  }

  /** The same for whoever waits: resolves when the pipe has it, rejects when it never will. */
  send(write: LineWriter, body: unknown, maxFrame: number): Promise<void> {
    const { failure } = this
    if (failure) return Promise.reject(located(failure, { site: siteHere() }))
    this.#write(write, 0, body, maxFrame)
    const { promise } = (this.#taken ??= Promise.withResolvers<void>())
    this.#added()
    return promise
  }

  /** Queues text made of whole lines. */
  push(text: string): void {
    if (this.failure) return
    // A getter of a value that is being sent may log, or fail a request.
    if (this.#out.busy) return this.pushFirst(text)
    this.#out.text(text)
    this.#added()
  }

  /** Why one more line would be too much, for those who send without waiting. */
  get overflow(): WatError | undefined {
    // Not for replies: the requests are bounded already, and a reply that is dropped is a caller who waits for ever.
    return this.queued < MAX_QUEUED_BYTES ? undefined : overloaded(MAX_QUEUED_BYTES)
  }

  /** Queues a frame that must not wait for a full pipe: it goes before what the pipe does not take now. */
  pushFirst(text: string): void {
    if (this.#failure || this.#finished) return
    this.flush()
    this.#unshift(text)
    if (this.#out.busy) this.#schedule()
    else this.flush()
  }

  /** Writes what is queued now, unless a write is under way; that one's end takes the rest along. */
  flush(): void {
    if (this.#failure || this.#broken || !this.#sink || this.#out.busy) return
    if (this.#writing) return this.#sink.retry?.()
    if (this.queued === 0) {
      if (this.#ending) this.#finish(this.#sink)
      return
    }
    const silent = this.#unawaited && !this.#taken
    this.#flying = this.#taken
    this.#taken = undefined
    this.#unawaited = false
    this.#writing = true
    this.#sink.write(this.#takeChunks(), error => {
      if (this.#failure) return // everything that waited knows already
      this.#writing = false
      this.#inFlight = 0
      if (error) {
        this.#broken = true
        return this.#onBroken(brokenPipe(error), silent || (this.#unawaited && !this.#taken))
      }
      const flown = this.#flying
      this.#flying = undefined
      flown?.resolve()
      this.flush()
      if (!this.full) this.#onDrain()
    })
  }

  /** Makes room, blocking: until no more than `bytes` are queued, or the pipe takes nothing for `patienceMs`. */
  relieve(bytes: number, patienceMs: number): void {
    this.flush()
    while (this.#writing && this.queued > bytes) {
      const leave = Math.max(0, bytes - this.#chunkBytes - this.#out.length)
      const moved = this.#sink?.relieve?.(leave, patienceMs) ?? false
      if (this.#writing) this.#inFlight = this.#sink?.held ?? this.#inFlight
      if (!moved) return
    }
  }

  /**
   * Writes everything, blocking until the pipe has it; for when the event loop will not turn again. Gives the
   * reason when something is lost.
   */
  flushSync(): WatError | undefined {
    if (this.#failure || this.#broken || !this.#sink) return undefined
    const error = this.#sink.writeSync(this.#takeChunks())
    if (!this.#writing) this.#inFlight = 0
    return error ? brokenPipe(error) : undefined
  }

  /** Takes nothing more; resolves when the queue is written and the pipe is closed for the other side. */
  end(): Promise<void> {
    return new Promise(resolve => {
      if (this.#closed) return resolve()
      this.#ending = true
      this.#endings.push(resolve)
      this.flush()
    })
  }

  /** Nothing can be written any more: everything pending rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    if (this.#failure) return
    this.#failure = reason
    this.#takeChunks()
    this.#inFlight = 0
    for (const senders of [this.#flying, this.#taken]) senders?.resolve(rejection(reason))
    this.#sink?.close()
    this.#release()
  }

  #write(write: LineWriter, id: number, body: unknown, maxFrame: number): void {
    writeWithin(this.#out, write, id, body, maxFrame)
  }

  #unshift(text: string): void {
    const bytes = Buffer.from(text)
    this.#chunks.unshift(bytes)
    this.#chunkBytes += bytes.length
  }

  #added(): void {
    const { length } = this.#out
    if (length < BATCH_BYTES) {
      if (!this.#scheduled) this.#schedule()
      return
    }
    this.flush()
    if (this.#out.length >= CHUNK_BYTES) {
      const chunk = this.#out.take()
      this.#chunks.push(chunk)
      this.#chunkBytes += chunk.length
    }
  }

  /** Everything queued, which is in flight from now on. The last chunk is the batch itself, as the sink expects it. */
  #takeChunks(): Uint8Array[] {
    const chunks = this.#chunks
    this.#inFlight = this.queued
    if (this.#out.length > 0) chunks.push(this.#out.bytes.subarray(0, this.#out.length))
    this.#out.clear()
    this.#chunks = []
    this.#chunkBytes = 0
    return chunks
  }

  #release(): void {
    this.#closed = true
    for (const resolve of this.#endings.splice(0)) resolve()
  }

  #schedule(): void {
    this.#scheduled = true
    queueMicrotask(this.#flushScheduled)
  }

  #finish(sink: Sink): void {
    if (this.#finished) return
    this.#finished = true
    sink.end(() => this.#release())
  }
}
