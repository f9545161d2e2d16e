import { VALUE_WINDOW_BYTES } from './limits.ts'

/**
 * How far the plain values that go one way may be ahead of whoever takes them. The reader tells how many it has taken
 * since the beginning; what it has not taken fills a window of bytes. Without a limit, for a side that never tells,
 * only the pipe holds the sender back.
 */
export class Credit {
  #limited = false
  #lifted = false
  #sent = 0
  /** Bytes of each value that may still be there: from `#head` on, where value number `#first` has its own. */
  #sizes: number[] = []
  #head = 0
  #first = 0
  #bytes = 0

  /** Whether another value may be sent. One that is larger than what is left may be, too. */
  get available(): boolean {
    return this.#lifted || this.#bytes < VALUE_WINDOW_BYTES
  }

  /** Whether bytes are counted: then they have to be known. */
  get limited(): boolean {
    return this.#limited
  }

  /** From now on the other side tells what it takes. What it was sent before is not counted. */
  limit(): void {
    if (this.#limited) return
    this.#limited = true
    this.#first = this.#sent
  }

  /** The other side can tell no more: it has ended what it sends. From now on the pipe alone holds the sender back. */
  lift(): void {
    this.#lifted = true
  }

  /** A value has been sent. */
  spend(bytes: number): void {
    this.#sent++
    if (!this.#limited) return
    this.#sizes.push(bytes)
    this.#bytes += bytes
  }

  /**
   * The other side has taken so many in all. It may count more than were sent here: a program can write past its
   * link, straight to the descriptor.
   */
  taken(count: number): void {
    for (; this.#first < Math.min(count, this.#sent); this.#first++)
      this.#bytes -= this.#sizes[this.#head++] as number
    // They leave in bulk: whoever tells of them one by one must not make it quadratic.
    if (2 * this.#head > this.#sizes.length) {
      this.#sizes = this.#sizes.slice(this.#head)
      this.#head = 0
    }
  }
}

interface IntakeOptions {
  /** Whether the other side counts. */
  enabled(): boolean
  /**
   * Whether what is held here counts as taken: while the other side does not take ours, it may wait in the same way,
   * both sending before they read.
   */
  holds(): boolean
  tell(count: number): void
}

/** The other side of it: plain values that come, and how many of them the sender is told have been taken. */
export class Intake {
  readonly #received = { count: 0, bytes: 0 }
  readonly #taken = { count: 0, bytes: 0 }
  #toldBytes = 0
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  received(bytes: number): void {
    this.#received.count++
    this.#received.bytes += bytes
    this.grant()
  }

  /** A value has left for the program, or is dropped. */
  taken(bytes: number): void {
    this.#taken.count++
    this.#taken.bytes += bytes
    this.grant()
  }

  /** Tells, if there is enough to tell. */
  grant(): void {
    const least = this.#toldBytes + VALUE_WINDOW_BYTES / 4
    if (this.#received.bytes < least || !this.#options.enabled()) return
    const { count, bytes } = this.#options.holds() ? this.#received : this.#taken
    if (bytes < least) return
    this.#toldBytes = bytes
    this.#options.tell(count)
  }
}
