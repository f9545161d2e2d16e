import { WatError } from '../error.ts'
import { copyIn } from './copy.ts'
import { FlowControl } from './flow-control.ts'
import { AT, frameBytes, HEADER_BYTES, maxMessageBytes, SKIP, type Memory } from './layout.ts'
import { readersSignal, writerSignal, type Signal } from './signal.ts'
import { thisThread } from './thread.ts'
import { TaskQueue } from './task-queue.ts'

/** A fragment is no smaller than this part of the ring, unless it is all there is. */
const FRAGMENT_PARTS = 16

/** The one writing end of a channel. It belongs to the thread that claimed it. */
export class ChannelWriter {
  readonly #memory: Memory
  readonly #words: Int32Array
  readonly #flow: FlowControl
  readonly #readers: Signal
  readonly #self: Signal
  readonly #tasks = new TaskQueue()
  /** Where the next message begins, modulo 2^32. */
  #position: number
  /** How many messages have been written. */
  #count = 0
  #closed = false
  /** The longest message in bytes. */
  readonly maxMessage: number

  /** @internal */
  constructor(memory: Memory) {
    const { words, capacity } = memory
    if (Atomics.compareExchange(words, AT.writer, 0, thisThread()) !== 0)
      throw new WatError('denied', 'the channel has a writer, and can have but one')
    this.#memory = memory
    this.#words = words
    this.#flow = new FlowControl(memory)
    this.#readers = readersSignal(words)
    this.#self = writerSignal(words)
    this.#position = Atomics.load(words, AT.written)
    this.maxMessage = maxMessageBytes(capacity)
  }

  /**
   * Writes a message if there is room. `'full'`: a reader that is not lossy has yet to read what would be
   * overwritten, or earlier calls of `write` still wait. `'closed'`: `close` was called, or there have been
   * readers and none is left; a new reader makes it `'sent'` again. Before the first reader comes, messages
   * are kept. Throws `too-large`.
   */
  tryWrite(bytes: Uint8Array): 'sent' | 'full' | 'closed' {
    if (this.#tasks.busy) return this.#closed ? 'closed' : 'full'
    return this.#put(bytes)
  }

  /**
   * Writes as much from the beginning of `bytes` as makes a message now, for streams of bytes. Gives how many
   * bytes that were: 0 when there is no room for a message worth its while, or nothing to write; -1 when closed.
   */
  tryWriteSome(bytes: Uint8Array): number {
    if (this.#closed) return -1
    if (this.#tasks.busy) return 0
    const { capacity } = this.#memory
    const room = this.#flow.room(this.#position)
    if (this.#flow.deserted) return -1
    const toEnd = capacity - (this.#position & (capacity - 1))
    const fits = Math.max(Math.min(room, toEnd), room - toEnd) - HEADER_BYTES
    const length = Math.min(bytes.length, this.maxMessage, fits)
    if (length < Math.min(bytes.length, this.#fragment) || length <= 0) return 0
    return this.#put(bytes.subarray(0, length)) === 'sent' ? length : 0
  }

  /**
   * Writes a message; blocks the thread until there is room. Throws `timeout` after `timeoutMs` milliseconds,
   * `offline` when the channel is closed for writing (see `tryWrite`), `too-large`, and `denied` while a call
   * of `write` waits, which could not go on.
   */
  writeSync(bytes: Uint8Array, timeoutMs = Infinity): void {
    if (this.#tasks.busy) throw new WatError('denied', 'await the calls of write before')
    for (;;) {
      const result = this.#put(bytes)
      if (result === 'sent') return
      if (result === 'closed') throw this.#offline()
      if (!this.#self.blockUntil(() => this.#hasRoom(bytes.length), timeoutMs))
        throw new WatError('timeout', `no room for the message within ${timeoutMs} ms`)
    }
  }

  /**
   * Writes a message as soon as there is room, after all those of earlier calls; `bytes` must not change until
   * then. Keeps the event loop alive while it waits, and lets it turn now and then when it need not. Rejects with `offline` when the channel is closed for
   * writing (see `tryWrite`), and with `too-large`.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#tasks.goOn() && this.#put(bytes) === 'sent') return
    await this.#tasks.add(async () => {
      for (;;) {
        const result = this.#put(bytes)
        if (result === 'sent') return
        if (result === 'closed') throw this.#offline()
        await this.waitWritable(bytes.length)
      }
    })
  }

  /**
   * Resolves when there is room for a message of `length` bytes, or the channel is closed for writing; gives
   * `undefined` when that is so already. Without `length`: room for what `tryWriteSome` finds worth its while.
   * Does not keep the event loop alive.
   */
  waitWritable(length: number = this.#fragment): Promise<void> | undefined {
    const ready = () => this.#hasRoom(length)
    return ready() ? undefined : this.#until(ready)
  }

  /** Whether nothing can be written: closed, or all readers have gone. */
  get closed(): boolean {
    if (!this.#closed) this.#flow.room(this.#position)
    return this.#closed || this.#flow.deserted
  }

  /** Writes no more: readers read what there is, and find the end. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    Atomics.store(this.#words, AT.closed, 1)
    this.#readers.wakeAll()
    this.#self.wakeAll() // calls of `write` that wait
  }

  #put(bytes: Uint8Array): 'sent' | 'full' | 'closed' {
    const { length } = bytes
    const { capacity, lengths, ring } = this.#memory
    if (!(length <= this.maxMessage)) throw this.#tooLarge(length)
    const frame = frameBytes(length)
    let at = this.#position & (capacity - 1)
    const toEnd = capacity - at
    const skipped = frame > toEnd ? toEnd : 0
    const flow = this.#flow
    if (this.#closed) return 'closed'
    if (((flow.limit - this.#position) | 0) < skipped + frame || flow.stale) {
      if (!flow.open(this.#position, this.#count, skipped + frame)) return flow.deserted ? 'closed' : 'full'
    }
    if (skipped > 0) {
      lengths[at >> 2] = SKIP
      at = 0
    }
    lengths[at >> 2] = length
    copyIn(bytes, ring, at + HEADER_BYTES)
    this.#position = (this.#position + skipped + frame) | 0
    this.#count++
    // Last of all: a message is there when it is whole.
    Atomics.store(this.#words, AT.written, this.#position)
    this.#readers.wake()
    return 'sent'
  }

  get #fragment(): number {
    return this.#memory.capacity / FRAGMENT_PARTS
  }

  /** Whether `#put` would not say `'full'`. */
  #hasRoom(length: number): boolean {
    if (this.#closed) return true
    const { capacity } = this.#memory
    const frame = frameBytes(Math.min(length, this.maxMessage))
    const toEnd = capacity - (this.#position & (capacity - 1))
    const room = this.#flow.room(this.#position)
    return this.#flow.deserted || room >= (frame > toEnd ? toEnd + frame : frame)
  }

  async #until(ready: () => boolean): Promise<void> {
    while (!ready()) await this.#self.sleepUnless(ready)
  }

  #offline(): WatError {
    return new WatError('offline', this.#closed ? 'the writer is closed' : 'every reader has gone')
  }

  #tooLarge(length: number): WatError {
    const { maxMessage } = this
    return new WatError('too-large', `a message of ${length} bytes is over maxMessage, ${maxMessage}`, {
      data: { maxMessage },
    })
  }
}
