import { located, rejection, siteHere } from '../edn/stack.ts'
import type { WatError } from '../error.ts'
import { ended } from './broken-pipe.ts'
import type { Credit } from './credit.ts'
import { lineOf, type LineWriter } from './frames.ts'
import { fit } from './fit.ts'
import { HIGH_WATER_BYTES } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { Queue } from './queue.ts'

/** A value that waits until the other side has taken others. */
interface Held {
  line: Uint8Array
  resolve(sent: Promise<void>): void
}

/** The writing end of a stream of values; the same one in both directions and at every tier. */
export class Sender<T = unknown> {
  readonly #outbox: Outbox
  readonly #write: LineWriter
  readonly #maxFrame: number
  readonly #credit: Credit
  readonly #onWait: () => void
  readonly #finish: () => Promise<void>
  readonly #held = new Queue<Held>()
  #heldBytes = 0
  /** `trySend` had to give up for want of credit: whoever called it will come again. */
  #tried = false
  /** Resolves when the other side has been told that no more comes. */
  #ended: Promise<void> | undefined

  /** @internal `finish` tells the other side that no more will come. */
  constructor(
    outbox: Outbox,
    write: LineWriter,
    maxFrame: number,
    credit: Credit,
    onWait: () => void = () => {},
    finish = () => outbox.end(),
  ) {
    this.#outbox = outbox
    this.#write = write
    this.#maxFrame = maxFrame
    this.#credit = credit
    this.#onWait = onWait
    this.#finish = finish
    outbox.attachHeld({ release: () => this.#releaseAll(), drop: reason => this.#drop(reason) })
  }

  /** Whether the other end can no longer be reached, or `end` was called. */
  get closed(): boolean {
    return this.#ended !== undefined || this.#outbox.closed
  }

  /**
   * Sends one value. Resolves when the pipe has taken it, so awaiting it is the backpressure: another wat-vm that
   * reads no values lets at most a window of them come.
   *
   * Rejects with `offline` when the other end is gone or goes while the value waits, `encode` when EDN
   * cannot carry the value, `denied` when it holds a tag of namespace `wat`, `too-large` when it is
   * over `maxFrame` bytes, and `overloaded` when unawaited sends pile up past 64 MiB.
   */
  send(value: T): Promise<void> {
    const tooMuch = this.#ended ? ended() : this.#outbox.overflow(this.#heldBytes)
    if (tooMuch) return Promise.reject(tooMuch)
    try {
      if (!this.#free) return this.#hold(value)
      const sent = this.#outbox.send(this.#write, value, this.#maxFrame)
      this.#credit.spend(this.#outbox.lineBytes)
      return sent
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends one value if that needs no waiting: `'full'` and `'closed'` say that it was not sent.
   * Throws `encode`, `denied` and `too-large` as `send` rejects with them.
   */
  trySend(value: T): 'sent' | 'full' | 'closed' {
    if (this.closed) return 'closed'
    if (this.#outbox.full) return 'full'
    if (!this.#free) {
      this.#tried = true
      this.#onWait()
      return 'full'
    }
    this.#outbox.add(this.#write, 0, value, this.#maxFrame)
    this.#credit.spend(this.#outbox.lineBytes)
    return 'sent'
  }

  /** Says that no more will come; resolves when what was sent is written. The reader sees end of input. */
  end(): Promise<void> {
    if (!this.#ended) {
      this.#releaseAll()
      this.#ended = this.#finish()
    }
    return this.#ended
  }

  /** @internal A line that was written before, behind what waits. */
  sendLine(line: Uint8Array): Promise<void> {
    if (!this.#free) return this.#holdLine(line)
    this.#credit.spend(line.length)
    return this.#outbox.sendLine(line)
  }

  /** @internal Bytes of what waits. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** @internal Whether values wait for the other side to take others. */
  get waits(): boolean {
    return this.#held.size > 0 || this.#tried
  }

  /** @internal Whether more waits than a program has under way that awaits each value. */
  get stuck(): boolean {
    return this.#tried || this.#outbox.queued + this.#heldBytes >= HIGH_WATER_BYTES
  }

  /** @internal The other side has taken more. */
  release(): void {
    if (this.#credit.available) this.#tried = false
    while (this.#credit.available && this.#sendHeld());
  }

  /** @internal The other side can tell no more of what it takes. */
  lift(): void {
    this.#credit.lift()
    this.release()
  }

  /** Nothing will come behind them: they go as far as the pipe takes them. */
  #releaseAll(): void {
    while (this.#sendHeld());
  }

  #sendHeld(): boolean {
    const held = this.#held.shift()
    if (!held) return false
    this.#heldBytes -= held.line.length
    this.#credit.spend(held.line.length)
    held.resolve(this.#outbox.sendLine(held.line))
    return true
  }

  get #free(): boolean {
    return this.#held.size === 0 && this.#credit.available
  }

  /** What is sent is the value as it is now. */
  #hold(value: T): Promise<void> {
    const { failure } = this.#outbox
    if (failure) return Promise.reject(located(failure, { site: siteHere() }))
    const line = lineOf(this.#write, value)
    fit(line.length, this.#maxFrame)
    return this.#holdLine(line)
  }

  #holdLine(line: Uint8Array): Promise<void> {
    if (this.#outbox.failure) return Promise.reject(this.#outbox.failure)
    this.#heldBytes += line.length
    return new Promise(resolve => {
      this.#held.push({ line, resolve })
      this.#onWait()
    })
  }

  #drop(reason: WatError): void {
    this.#heldBytes = 0
    for (const held of this.#held.drain()) held.resolve(rejection(reason))
  }
}
