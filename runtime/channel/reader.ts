import { WatError } from '../error.ts'
import { copyOf, copyOut } from './copy.ts'
import { HoldingCursor, NONE, type Cursor } from './cursor.ts'
import { AT, maxMessageBytes, type Memory } from './layout.ts'
import { LossyCursor } from './lossy.ts'
import { leaveSlot, takeSlot } from './slot.ts'
import { readersSignal, type Signal } from './signal.ts'
import { TaskQueue } from './task-queue.ts'

/** How a reader reads. */
export interface ReaderOptions {
  /**
   * Do not hold the writer back: it may overwrite what this reader has not read. What was lost stands in
   * `lapped` and `missed`. Default false.
   */
  lossy?: boolean | undefined
}

/** A reading end of a channel, with a place of its own in it. It belongs to the thread that made it. */
export class ChannelReader implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  readonly #memory: Memory
  readonly #slot: number
  readonly #cursor: Cursor
  readonly #self: Signal
  readonly #tasks = new TaskQueue()
  readonly #ready = () => this.#next() !== NONE || this.ended
  #readable: Promise<void> | undefined
  #closed = false
  /** Whether the writer does not wait for this reader. */
  readonly lossy: boolean
  /** The longest message in bytes: as large a target takes whatever comes. */
  readonly maxMessage: number

  /** @internal */
  constructor(memory: Memory, { lossy = false }: ReaderOptions) {
    this.#memory = memory
    this.#slot = takeSlot(memory)
    this.#cursor = lossy ? new LossyCursor(memory, this.#slot) : new HoldingCursor(memory, this.#slot)
    this.#self = readersSignal(memory.words)
    this.lossy = lossy
    this.maxMessage = maxMessageBytes(memory.capacity)
  }

  /** The next message, as memory of its own; `undefined` when there is none now, or no more (see `ended`). */
  tryRead(): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const length = this.#next()
      if (length === NONE) return undefined
      const message = copyOf(this.#memory.ring, this.#cursor.offset, length)
      if (this.#cursor.advance()) return message
    }
  }

  /**
   * Copies the next message to the beginning of `target`, and gives its length: -1 when there is none now, or
   * no more (see `ended`). Throws `too-large` when it does not fit; the message stays. A lossy reader may
   * leave anything in the rest of `target`.
   */
  tryReadInto(target: Uint8Array): number {
    for (;;) {
      const length = this.#next()
      if (length === NONE) return -1
      if (length <= target.length) {
        copyOut(this.#memory.ring, this.#cursor.offset, length, target)
        if (this.#cursor.advance()) return length
      } else if (this.#cursor.valid()) {
        throw new WatError('too-large', `the next message is ${length} bytes long`, { data: { length } })
      }
    }
  }

  /**
   * The next message where it lies, in the shared memory: without a copy, and good until `consume`. `undefined`
   * when there is none now, or no more. Throws `denied` when this reader is lossy: nothing keeps its messages.
   */
  peek(): Uint8Array<SharedArrayBuffer> | undefined {
    if (this.lossy) throw new WatError('denied', 'a lossy reader cannot look at what may be overwritten')
    const length = this.#next()
    if (length === NONE) return undefined
    const { offset } = this.#cursor
    return this.#memory.ring.subarray(offset, offset + length) as Uint8Array<SharedArrayBuffer>
  }

  /** Goes on behind the message that `peek` has given. Does nothing when there is none. */
  consume(): void {
    if (this.#next() !== NONE) this.#cursor.advance()
  }

  /**
   * The next message; blocks the thread until there is one. `undefined` at the end. Throws `timeout` after
   * `timeoutMs` milliseconds.
   */
  readSync(timeoutMs = Infinity): Uint8Array<ArrayBuffer> | undefined {
    for (;;) {
      const message = this.tryRead()
      if (message || this.ended) return message
      if (!this.#self.blockUntil(this.#ready, timeoutMs))
        throw new WatError('timeout', `no message within ${timeoutMs} ms`)
    }
  }

  /**
   * The next message, when there is one; `undefined` at the end. Several calls get the messages in the order of
   * the calls. Keeps the event loop alive while it waits, and lets it turn now and then when it need not wait.
   */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#tasks.goOn()) {
      const message = this.tryRead()
      if (message || this.ended) return message
    }
    return this.#tasks.add(async () => {
      for (;;) {
        const message = this.tryRead()
        if (message || this.ended) return message
        await this.waitReadable()
      }
    })
  }

  /**
   * Resolves when there is a message, or the end; gives `undefined` when that is so already. Calls that wait
   * share one promise. Does not keep the event loop alive.
   */
  waitReadable(): Promise<void> | undefined {
    if (this.#ready()) return undefined
    // Behind the assignment: a message may come just now, and the wait be over before it is kept.
    return (this.#readable ??= this.#untilReadable().finally(() => (this.#readable = undefined)))
  }

  /** Reads to the end; leaving the loop early leaves the reader open, with what was not read. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (;;) {
      const message = await this.read()
      if (!message) return
      yield message
    }
  }

  /** Whether there is nothing more to read, ever: the writer has closed and all is read, or `close` was called. */
  get ended(): boolean {
    if (this.#closed) return true
    // What was written before the close is there when the close is seen.
    return Atomics.load(this.#memory.words, AT.closed) === 1 && this.#next() === NONE
  }

  /** How many messages were lost just before the last one read. Always 0 when not lossy. */
  get lapped(): number {
    return this.#cursor.lapped
  }

  /** How many messages were lost so far. Always 0 when not lossy. */
  get missed(): number {
    return this.#cursor.missed
  }

  /** Reads no more, gives the place to others and holds nobody back. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    leaveSlot(this.#memory, this.#slot)
    this.#self.wakeAll() // calls of `read` that wait
  }

  #next(): number {
    return this.#closed ? NONE : this.#cursor.next()
  }

  async #untilReadable(): Promise<void> {
    while (!this.#ready()) await this.#self.sleepUnless(this.#ready)
  }
}
