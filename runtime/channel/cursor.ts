import { AT, frameBytes, HEADER_BYTES, SKIP, SLOT, type Memory } from './layout.ts'
import { joinHolding } from './slot.ts'
import { writerSignal, type Signal } from './signal.ts'

/** There is no next message yet. */
export const NONE = -1

/** Where a reader is. */
export interface Cursor {
  /** The length of the next message, or `NONE`; its bytes lie in the ring from `offset` on. */
  next(): number
  readonly offset: number
  /** Whether what was read of the message since `next` is what was written. */
  valid(): boolean
  /** Goes on behind it; `false` when it was not valid, and then goes on where there is something to read. */
  advance(): boolean
  /** Messages lost just before the last one read. */
  readonly lapped: number
  /** Messages lost so far. */
  readonly missed: number
}

/** One that holds the writer back: what lies before it stays. */
export class HoldingCursor implements Cursor {
  readonly #memory: Memory
  readonly #words: Int32Array
  readonly #place: number
  readonly #writer: Signal
  /** Where the next message begins, modulo 2^32. */
  #position: number
  /** Up to where messages were whole, as of the last look: the writer's line is touched when these are read. */
  #written: number
  #length = NONE
  offset = 0
  readonly lapped = 0
  readonly missed = 0

  constructor(memory: Memory, slot: number) {
    this.#memory = memory
    this.#words = memory.words
    this.#place = slot + SLOT.cursor
    this.#writer = writerSignal(memory.words)
    this.#position = joinHolding(memory, slot)
    this.#written = this.#position
  }

  next(): number {
    if (this.#position === this.#written) {
      this.#written = Atomics.load(this.#words, AT.written)
      if (this.#position === this.#written) return NONE
    }
    const { lengths, capacity } = this.#memory
    let at = this.#position & (capacity - 1)
    let length = lengths[at >> 2] as number
    if (length === SKIP) {
      this.#position = (this.#position + capacity - at) | 0
      at = 0
      length = lengths[0] as number
    }
    this.offset = at + HEADER_BYTES
    return (this.#length = length)
  }

  valid(): boolean {
    return true
  }

  advance(): boolean {
    this.#position = (this.#position + frameBytes(this.#length)) | 0
    Atomics.store(this.#words, this.#place, this.#position)
    this.#writer.wake()
    return true
  }
}
