import { AT } from './layout.ts'

/** Words of a record. */
const POSITION = 0 // two words
const COUNT = 2 // two words
const BYTES = 4
const RECORD_WORDS = 8

const WORD = 2 ** 32

/**
 * What the writer says before it writes: from this position on, so many bytes. What lies a whole ring before
 * that is lost. Positions and counts are of 53 bits here: a lossy reader may sleep for longer than 32 last.
 */
export interface Reservation {
  position: number
  /** How many messages lie before the position. */
  count: number
  bytes: number
}

/** Two records in turn, the number of the last one behind them: a reader never sees one half written. */
export function reserve(words: Int32Array, { position, count, bytes }: Reservation): void {
  const number = (Atomics.load(words, AT.reservations) + 1) | 0
  const at = recordAt(number)
  putWide(words, at + POSITION, position)
  putWide(words, at + COUNT, count)
  Atomics.store(words, at + BYTES, bytes)
  Atomics.store(words, AT.reservations, number)
  // Behind a store alone, plain stores may become visible before it; behind the load of a store they may not.
  Atomics.load(words, AT.reservations)
}

/** The last one. */
export function lastReservation(words: Int32Array, into: Reservation): Reservation {
  for (;;) {
    const number = Atomics.load(words, AT.reservations)
    const at = recordAt(number)
    into.position = wideOf(words, at + POSITION)
    into.count = wideOf(words, at + COUNT)
    into.bytes = Atomics.load(words, at + BYTES)
    if (Atomics.load(words, AT.reservations) === number) return into
  }
}

function recordAt(number: number): number {
  return AT.records + (number & 1) * RECORD_WORDS
}

function putWide(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, (value % WORD) | 0)
  Atomics.store(words, at + 1, Math.floor(value / WORD))
}

function wideOf(words: Int32Array, at: number): number {
  return (Atomics.load(words, at) >>> 0) + (Atomics.load(words, at + 1) >>> 0) * WORD
}
