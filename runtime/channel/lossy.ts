import { WatError } from '../error.ts'
import { NONE, type Cursor } from './cursor.ts'
import { AT, frameBytes, HEADER_BYTES, SKIP, SLOT, type Memory } from './layout.ts'
import { lastReservation, type Reservation } from './reservation.ts'
import { joinLossy } from './slot.ts'

/**
 * One that the writer does not wait for. What it reads may be overwritten meanwhile, also the length of a
 * message; so nothing counts before a look at what the writer has reserved, taken after the reading.
 */
export class LossyCursor implements Cursor {
  readonly #memory: Memory
  readonly #words: Int32Array
  readonly #place: number
  readonly #reservation: Reservation = { position: 0, count: 0, bytes: 0 }
  /** Where the next message begins, in 53 bits. */
  #position: number
  /** How many messages lie before it. */
  #count = 0
  #length = NONE
  #lost = 0
  offset = 0
  lapped = 0
  missed = 0

  constructor(memory: Memory, slot: number) {
    this.#memory = memory
    this.#words = memory.words
    this.#place = slot + SLOT.cursor
    this.#position = (memory.words[AT.start] as number) >>> 0
    if (!joinLossy(memory, slot)) while (!this.#goToEnd()) {}
  }

  next(): number {
    for (;;) {
      const there = Atomics.load(this.#words, AT.written) !== (this.#position | 0)
      const length = there ? this.#frame() : NONE
      if (length !== NONE) return length
      if (this.valid()) {
        if (!there) return NONE
        throw new WatError('malformed', 'somebody else has written to the memory of the channel')
      }
      this.#resume()
    }
  }

  valid(): boolean {
    // A store orders what was read before it, the load behind it comes after that.
    Atomics.store(this.#words, this.#place, this.#position | 0)
    const { position, bytes } = lastReservation(this.#words, this.#reservation)
    return position + bytes - this.#position <= this.#memory.capacity
  }

  advance(): boolean {
    if (!this.valid()) {
      this.#resume()
      return false
    }
    this.#position = this.#end()
    this.#count++
    this.lapped = this.#lost
    this.#lost = 0
    return true
  }

  /** Where the writer made its last reservation there is a message, or will be the next one. */
  #resume(): void {
    const { position, count } = lastReservation(this.#words, this.#reservation)
    this.#lost += count - this.#count
    this.missed += count - this.#count
    this.#position = position
    this.#count = count
  }

  /** Goes from the last reservation to where the writer is, to know how many messages lie before that. */
  #goToEnd(): boolean {
    const { position, count } = lastReservation(this.#words, this.#reservation)
    const written = Atomics.load(this.#words, AT.written)
    const distance = (written - position) >>> 0
    this.#position = position
    let more = 0
    let end = position
    if (distance > this.#memory.capacity) return false
    while (end < position + distance) {
      this.#position = end
      if (this.#frame() === NONE) break
      end = this.#end()
      more++
    }
    this.#position = position
    if (end !== position + distance || !this.valid()) return false
    this.#position = end
    this.#count = count + more
    return true
  }

  /** The length of the message at the position; `NONE` when it cannot be one. */
  #frame(): number {
    const { lengths, capacity } = this.#memory
    let at = this.#offset()
    if (lengths[at >> 2] === SKIP) at = 0
    const length = lengths[at >> 2] as number
    this.offset = at + HEADER_BYTES
    return (this.#length = length >= 0 && this.offset + length <= capacity ? length : NONE)
  }

  /** Where the message ends that `#frame` has looked at. */
  #end(): number {
    const at = this.#offset()
    const skipped = this.offset - HEADER_BYTES === at ? 0 : this.#memory.capacity - at
    return this.#position + skipped + frameBytes(this.#length)
  }

  #offset(): number {
    return this.#position & (this.#memory.capacity - 1)
  }
}
