import { located, rejection, siteHere } from '../edn/stack.ts'
import type { WatError } from '../error.ts'
import { Batch } from './batch.ts'
import { brokenPipe, ended, overloaded } from './broken-pipe.ts'
import type { LineWriter } from './frames.ts'
import { BATCH_BYTES, HIGH_WATER_BYTES, MAX_QUEUED_BYTES } from './limits.ts'
import type { Sink } from '../io/pipe.ts'

interface HeldLines {
  release(): void
  drop(reason: WatError): void
}

/** What waits to be written to one pipe. Frames of one tick go out in one write: a write costs more than a frame. */
export class Outbox {
  readonly #batch = new Batch()
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
  #held: HeldLines | undefined
  /** Bytes of the line that was queued last. */
  lineBytes = 0
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
    if (greeting !== undefined) this.#batch.unshift(greeting)
    this.#sink = sink
    this.flush()
  }

  /** Bytes accepted and not yet taken by the pipe. */
  get queued(): number {
    return this.#inFlight + this.#batch.bytes
  }

  /** The same to the byte, as far as the pipe can tell: it changes when something is taken. */
  get unwritten(): number {
    const left = (this.#writing ? this.#sink?.held : undefined) ?? this.#inFlight
    return left + this.#batch.bytes
  }

  /** Whether whoever can wait should wait. */
  get full(): boolean {
    return this.queued >= HIGH_WATER_BYTES
  }

  /** Whether a value is being written to it: then nothing else can be. */
  get busy(): boolean {
    return this.#batch.busy
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
    this.lineBytes = this.#batch.write(write, id, body, maxFrame)
    this.#unawaited = true
    this.#added()
  }

  /** The same for whoever waits: resolves when the pipe has it, rejects when it never will. */
  send(write: LineWriter, body: unknown, maxFrame: number): Promise<void> {
    const { failure } = this
    if (failure) return Promise.reject(located(failure, { site: siteHere() }))
    this.lineBytes = this.#batch.write(write, 0, body, maxFrame)
    const { promise } = (this.#taken ??= Promise.withResolvers<void>())
    this.#added()
    return promise
  }

  /** Queues text made of whole lines. */
  push(text: string): void {
    if (this.failure) return
    this.#batch.push(text)
    this.#added()
  }

  /** The same for a line that has been written before. */
  sendLine(line: Uint8Array): Promise<void> {
    const { failure } = this
    if (failure) return Promise.reject(failure)
    const { promise } = (this.#taken ??= Promise.withResolvers<void>())
    this.#batch.push(line)
    this.#added()
    return promise
  }

  /** Lines wait elsewhere for the other side to take others. They are written at the end, or dropped with the rest. */
  attachHeld(held: HeldLines): void {
    this.#held = held
  }

  /** Why one more line would be too much, for those who send without waiting; `besides` waits elsewhere. */
  overflow(besides = 0): WatError | undefined {
    // Not for replies: the requests are bounded already, and a reply that is dropped is a caller who waits for ever.
    return this.queued + besides < MAX_QUEUED_BYTES ? undefined : overloaded(MAX_QUEUED_BYTES)
  }

  /** Queues a frame that must not wait for a full pipe: it goes before what the pipe does not take now. */
  pushFirst(text: string): void {
    if (this.#failure || this.#finished) return
    this.flush()
    this.#batch.unshift(text)
    if (this.#batch.busy) this.#schedule()
    else this.flush()
  }

  /** Writes what is queued now, unless a write is under way; that one's end takes the rest along. */
  flush(): void {
    if (this.#failure || this.#broken || !this.#sink || this.#batch.busy) return
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
      const leave = Math.max(0, bytes - this.#batch.bytes)
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
    this.#held?.release()
    const error = this.#sink.writeSync(this.#takeChunks())
    if (!this.#writing) this.#inFlight = 0
    return error ? brokenPipe(error) : undefined
  }

  /** Takes nothing more; resolves when the queue is written and the pipe is closed for the other side. */
  end(): Promise<void> {
    return new Promise(resolve => {
      if (this.#closed) return resolve()
      this.#held?.release()
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
    this.#held?.drop(reason)
    this.#release()
  }

  #added(): void {
    if (this.#batch.busy || this.#batch.gathered < BATCH_BYTES) {
      if (!this.#scheduled) this.#schedule()
      return
    }
    this.flush()
    this.#batch.putAside()
  }

  /** Everything queued, which is in flight from now on. */
  #takeChunks(): Uint8Array[] {
    this.#inFlight = this.queued
    return this.#batch.take()
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
