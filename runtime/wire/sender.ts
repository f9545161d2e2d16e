import { WatError } from '../error.ts'
import type { Outbox } from './outbox.ts'

/** The writing end of a stream of values; the same one in both directions and at every tier. */
export class Sender<T = unknown> {
  readonly #outbox: Outbox
  readonly #frame: (value: unknown) => string
  readonly #maxFrame: number

  /** @internal */
  constructor(outbox: Outbox, frame: (value: unknown) => string, maxFrame: number) {
    this.#outbox = outbox
    this.#frame = frame
    this.#maxFrame = maxFrame
  }

  /** Whether the other end can no longer be reached, or `end` was called. */
  get closed(): boolean {
    return this.#outbox.closed
  }

  /**
   * Sends one value. Resolves when the pipe has taken it, so awaiting it is the backpressure.
   *
   * Rejects with `offline` when the other end is gone or goes while the value waits, `encode` when EDN
   * cannot carry the value, `denied` when it holds a tag of namespace `wat`, `too-large` when it is
   * over `maxFrame` bytes, and `overloaded` when unawaited sends pile up past 64 MiB.
   */
  send(value: T): Promise<void> {
    return new Promise((resolve, reject) => {
      const text = sized(this.#frame(value), this.#maxFrame)
      const tooMuch = this.#outbox.overflow(text)
      if (tooMuch) reject(tooMuch)
      else this.#outbox.push(text, error => (error ? reject(error) : resolve()))
    })
  }

  /**
   * Sends one value if that needs no waiting: `'full'` and `'closed'` say that it was not sent.
   * Throws `encode`, `denied` and `too-large` as `send` rejects with them.
   */
  trySend(value: T): 'sent' | 'full' | 'closed' {
    if (this.#outbox.closed) return 'closed'
    if (this.#outbox.full) return 'full'
    this.#outbox.push(sized(this.#frame(value), this.#maxFrame))
    return 'sent'
  }

  /** Says that no more will come; resolves when what was sent is written. The reader sees end of input. */
  end(): Promise<void> {
    return this.#outbox.end()
  }
}

/** Passes text through unless the other side would refuse it. Lengths are compared in UTF-8 bytes. */
export function sized(text: string, maxFrame: number): string {
  // One UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxFrame || Buffer.byteLength(text) - 1 <= maxFrame) return text
  throw new WatError('too-large', `the form is over maxFrame, ${maxFrame} bytes`, { data: { maxFrame } })
}
