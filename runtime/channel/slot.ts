import { WatError } from '../error.ts'
import { AT, FREE, HOLDING, JOINING, LOSSY, SLOT, slotAt, type Memory } from './layout.ts'
import { writerSignal } from './signal.ts'
import { ownerOf, thisThread } from './thread.ts'

/** Takes a reader's place, for the calling thread. Gives the index of its first word. */
export function takeSlot({ words, readers }: Memory): number {
  const owner = thisThread()
  for (let index = 0; index < readers; index++) {
    const slot = slotAt(index)
    if (Atomics.compareExchange(words, slot + SLOT.owner, 0, owner) === 0) return slot
  }
  throw new WatError('denied', `the channel has ${readers} readers, and can have no more`)
}

/**
 * From now on the writer overwrites nothing that this reader has not read. Gives its position. While it says
 * that it joins, the writer reckons with where it itself was before: the position read here may be old by
 * the time that it is written down.
 */
export function joinHolding({ words }: Memory, slot: number): number {
  Atomics.store(words, slot + SLOT.state, JOINING)
  const position = firstToRead(words) ? (words[AT.start] as number) : Atomics.load(words, AT.written)
  Atomics.store(words, slot + SLOT.cursor, position)
  Atomics.store(words, slot + SLOT.state, HOLDING)
  writerSignal(words).wakeAll() // it may have found no room because of what it reckoned with
  return position
}

/** The writer knows of this reader, and does not wait for it. Tells whether it is the first of all. */
export function joinLossy({ words }: Memory, slot: number): boolean {
  Atomics.store(words, slot + SLOT.state, LOSSY)
  const first = firstToRead(words)
  writerSignal(words).wakeAll() // until now a full ring was kept for the first to come
  return first
}

/** Gives the place to whoever comes next, and tells the writer. */
export function leaveSlot({ words }: Memory, slot: number): void {
  Atomics.store(words, slot + SLOT.state, FREE)
  Atomics.store(words, slot + SLOT.owner, 0) // after it: the place may be another's from here on
  Atomics.add(words, AT.readersGone, 1)
  writerSignal(words).wakeAll()
}

/** The places of a thread. */
export function slotsOf({ words, readers }: Memory, threadId: number): number[] {
  const slots = Array.from({ length: readers }, (_, index) => slotAt(index))
  return slots.filter(slot => Atomics.load(words, slot + SLOT.owner) === ownerOf(threadId))
}

function firstToRead(words: Int32Array): boolean {
  return Atomics.compareExchange(words, AT.everRead, 0, 1) === 0
}
