import { AT, FREE, HOLDING, JOINING, SLOT, slotAt, type Memory } from './layout.ts'
import { reserve, type Reservation } from './reservation.ts'

/** A reservation is of this part of the ring: so much less a lossy reader may lag behind. */
const PARTS = 8

/** Up to where the writer may write: nothing a reader still needs, and nothing it has not announced. */
export class FlowControl {
  readonly #memory: Memory
  /** Where the writer was when it last saw no reader join: who joins now, begins no earlier. */
  #settled: number
  #gone = 0
  /** 53 bits of what the writer keeps 32 of. */
  readonly #reservation: Reservation
  /** Up to where the writer may go, modulo 2^32. */
  limit: number
  /** Whether there have been readers and all of them have gone; as of the last look. */
  deserted = false

  constructor(memory: Memory) {
    this.#memory = memory
    const start = memory.words[AT.start] ?? 0
    this.#settled = start
    this.limit = start
    this.#reservation = { position: start >>> 0, count: 0, bytes: 0 }
  }

  /** Whether to look at the readers before the next message: one has gone meanwhile, or all had. */
  get stale(): boolean {
    return this.deserted || Atomics.load(this.#memory.words, AT.readersGone) !== this.#gone
  }

  /** Moves the limit so that `bytes` from `position` on may be written; `false` when there is no room. */
  open(position: number, count: number, bytes: number): boolean {
    const { words, capacity } = this.#memory
    const room = this.room(position)
    if (this.deserted || room < bytes) return false
    const reservation = this.#reservation
    reservation.position += (position - reservation.position) >>> 0
    reservation.count = count
    reservation.bytes = Math.min(room, Math.max(bytes, capacity / PARTS))
    this.limit = (position + reservation.bytes) | 0
    reserve(words, reservation)
    return true
  }

  /** How many bytes from `position` on no reader needs any more. */
  room(position: number): number {
    const { words, capacity, readers } = this.#memory
    this.#gone = Atomics.load(words, AT.readersGone)
    this.deserted = false
    // Asked before the places: the first reader takes one first, and says then that there was a reader.
    if (Atomics.load(words, AT.everRead) === 0) return capacity - ((position - this.#settled) | 0)
    let used = 0
    let some = false
    let joining = false
    for (let index = 0; index < readers; index++) {
      const slot = slotAt(index)
      const state = Atomics.load(words, slot + SLOT.state)
      if (state === FREE) continue
      some = true
      if (state === JOINING) joining = true
      if (state === HOLDING) used = Math.max(used, (position - Atomics.load(words, slot + SLOT.cursor)) | 0)
    }
    this.deserted = !some
    if (joining) used = Math.max(used, (position - this.#settled) | 0)
    else this.#settled = position
    return capacity - used
  }
}
