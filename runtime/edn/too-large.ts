import { constants } from 'node:buffer'
import { WatError } from '../error.ts'
import type { Head } from './head.ts'
import type { Position } from './position.ts'

/** A text of V8 has at most so many UTF-16 units. */
export const MAX_TEXT_UNITS = constants.MAX_STRING_LENGTH

/** Throws `too-large` for a value that takes so many bytes as EDN, or more. */
export function tooLarge(bytes: number): never {
  throw new WatError(
    'too-large',
    `the value takes ${bytes} bytes or more as EDN, for which there is no room; a text has at most ${MAX_TEXT_UNITS}`,
    { data: { bytes, most: MAX_TEXT_UNITS } },
  )
}

/** The error for a form that is larger than a reader takes. */
export function overCap(maxFrame: number, place: Position, head: Head | undefined): WatError {
  return new WatError('too-large', `a form of more than ${maxFrame} bytes (line ${place.line})`, {
    data: { maxFrame, ...place, ...(head && { head }) },
  })
}

/** What `make` gives; `too-large` when the system has no room for it, which is all that it can throw. */
export function roomFor<T>(bytes: number, make: () => T): T {
  try {
    return make()
  } catch {
    return tooLarge(bytes)
  }
}

/**
 * What the one who is writing may write at most, in bytes, so that it can be refused before the memory for it is
 * taken; 0 is no bound. Always a small integer: storing any other number costs an allocation.
 */
let most = 0

/** Sets what may be written from now on. Gives what it was before. */
export function writeAtMost(bytes: number): number {
  const before = most
  most = bytes
  return before
}

/** Throws `too-large` for more than may be written. */
export function checkRoom(bytes: number): void {
  if (bytes > most && most > 0) tooLarge(bytes)
}

/** The same for what is put together as a text. */
export function checkText(units: number): void {
  if (units > MAX_TEXT_UNITS) tooLarge(units)
  checkRoom(units)
}
