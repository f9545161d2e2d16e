import { WatError } from '../error.ts'
import { BATCH_CHARS, HIGH_WATER_BYTES, MAX_QUEUED_CHARS } from './limits.ts'
import type { Sink } from './pipe.ts'

type Taken = (error?: WatError) => void

/**
 * What waits to be written to one pipe. Frames of one tick go out in one write, and a write goes out
 * as soon as a batch is full: a write per frame costs more than the frame.
 */
export class Outbox {
  #text = ''
  #taken: Taken[] = []
  #writing = false
  #inFlight = 0
  #scheduled = false
  #ending = false
  #endings: (() => void)[] = []
  #finished = false
  #broken = false
  #failure: WatError | undefined
  #sink: Sink | undefined
  readonly #onDrain: () => void
  /** Nothing more can be written; whoever owns the outbox says with `abort` what to tell the senders. */
  readonly #onBroken: (error: WatError) => void

  constructor(onDrain: () => void, onBroken: (error: WatError) => void) {
    this.#onDrain = onDrain
    this.#onBroken = onBroken
  }

  /** Gives the pipe to write to; what was pushed before has waited for it. */
  attach(sink: Sink): void {
    if (this.#failure) return sink.close()
    this.#sink = sink
    this.flush()
  }

  /** Characters accepted and not yet taken by the pipe. */
  get queued(): number {
    return this.#inFlight + this.#text.length
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
    return this.#failure ?? (this.#ending ? new WatError('offline', 'the sender has ended') : undefined)
  }

  /** Queues text made of whole lines. `taken` is called once: when the pipe has it, or with the error. */
  push(text: string, taken?: Taken): void {
    const { failure } = this
    if (failure) {
      taken?.(failure)
      return
    }
    this.#text += text
    if (taken) this.#taken.push(taken)
    if (this.#text.length >= BATCH_CHARS) this.flush()
    else if (!this.#scheduled) this.#schedule()
  }

  /**
   * Why one more text would be too much, for those who send without waiting. Replies are not among them:
   * the requests are bounded already, and a reply that is dropped is a caller who waits for ever.
   */
  overflow(text: string): WatError | undefined {
    if (this.queued === 0 || this.queued + text.length <= MAX_QUEUED_CHARS) return undefined
    return new WatError(
      'overloaded',
      `over ${MAX_QUEUED_CHARS} characters wait to be sent; await what send returns`,
    )
  }

  /** Queues a frame that must not wait for a full pipe: it goes before what the pipe does not take now. */
  pushFirst(text: string): void {
    if (this.#failure || this.#finished) return
    this.flush()
    this.#text = text + this.#text
    this.flush()
  }

  /** Writes what is queued now, unless a write is under way; that one's end takes the rest along. */
  flush(): void {
    if (this.#writing || this.#failure || this.#broken || !this.#sink) return
    if (this.#text === '') {
      if (this.#ending) this.#finish(this.#sink)
      return
    }
    const text = this.#text
    const taken = this.#taken
    this.#text = ''
    this.#taken = []
    this.#writing = true
    this.#inFlight = text.length
    this.#sink.write(text, error => {
      this.#writing = false
      this.#inFlight = 0
      if (error) {
        this.#taken = [...taken, ...this.#taken]
        this.#broken = true
        this.#onBroken(brokenPipe(error))
        return
      }
      for (const done of taken) done()
      this.flush()
      if (!this.full) this.#onDrain()
    })
  }

  /** Writes everything, blocking until the pipe has it; for when the event loop will not turn again. */
  flushSync(): void {
    if (this.#failure || this.#broken || !this.#sink) return
    const text = this.#text
    this.#text = ''
    this.#sink.writeSync(text)
  }

  /** Takes nothing more; resolves when the queue is written and the pipe is closed for the other side. */
  end(): Promise<void> {
    return new Promise(resolve => {
      if (this.#failure || this.#finished) return resolve()
      this.#ending = true
      this.#endings.push(resolve)
      this.flush()
    })
  }

  /** Nothing can be written any more: everything pending rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    if (this.#failure) return
    this.#failure = reason
    this.#text = ''
    const taken = this.#taken
    this.#taken = []
    this.#sink?.close()
    for (const done of taken) done(reason)
    this.#release()
  }

  #release(): void {
    const endings = this.#endings
    this.#endings = []
    for (const resolve of endings) resolve()
  }

  #schedule(): void {
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  #finish(sink: Sink): void {
    if (this.#finished) return
    this.#finished = true
    sink.end(() => this.#release())
  }
}

/** The other end is gone, or the device is full: one code, the cause tells which. */
function brokenPipe(cause: Error): WatError {
  const code = (cause as NodeJS.ErrnoException).code
  const what = code === 'EPIPE' || code === 'ECONNRESET' ? 'the other end is gone' : cause.message
  return new WatError('offline', `cannot write: ${what}`, {
    cause,
    data: code === undefined ? undefined : { code },
  })
}
