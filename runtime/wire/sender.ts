import type { LineWriter } from './frames.ts'
import type { Outbox } from './outbox.ts'

/** The writing end of a stream of values; the same one in both directions and at every tier. */
export class Sender<T = unknown> {
  readonly #outbox: Outbox
  readonly #write: LineWriter
  readonly #maxFrame: number

  /** @internal */
  constructor(outbox: Outbox, write: LineWriter, maxFrame: number) {
    this.#outbox = outbox
    this.#write = write
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
    const tooMuch = this.#outbox.overflow
    if (tooMuch) return Promise.reject(tooMuch)
    try {
      return this.#outbox.send(this.#write, value, this.#maxFrame)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends one value if that needs no waiting: `'full'` and `'closed'` say that it was not sent.
   * Throws `encode`, `denied` and `too-large` as `send` rejects with them.
   */
  trySend(value: T): 'sent' | 'full' | 'closed' {
    if (this.#outbox.closed) return 'closed'
    if (this.#outbox.full) return 'full'
    this.#outbox.add(this.#write, 0, value, this.#maxFrame)
    return 'sent'
  }

  /** Says that no more will come; resolves when what was sent is written. The reader sees end of input. */
  end(): Promise<void> {
    return this.#outbox.end()
  }
}
