import { Buffer } from 'node:buffer'
import { type Aside, grown, mostBytes } from './out.ts'
import { numberText, pieceEnd, PLAIN, stringText } from './text.ts'
import { checkText } from './too-large.ts'

/** What is being written to: nothing else is, until it gives way to another. */
export let bytes: Buffer = Buffer.allocUnsafeSlow(0)

/** Long texts that belong between its bytes; `undefined` where they are to be bytes as well. */
export let asides: Aside[] | undefined

/** From now on it is this. Returns what it was before. */
export function writeInto(next: Buffer, nextAsides: Aside[] | undefined): Buffer {
  const before = bytes
  bytes = next
  asides = nextAsides
  return before
}

// Each of these writes at `at` and gives the place behind it. Bytes, not text: a text put together from a
// hundred pieces costs more in memory that is thrown away than in time.

export function putByte(at: number, byte: number): number {
  if (at === bytes.length) bytes = grown(bytes, at, 1)
  bytes[at] = byte
  return at + 1
}

export function putBytes(at: number, from: Uint8Array): number {
  const { length } = from
  if (at + length > bytes.length) bytes = grown(bytes, at, length)
  const to = bytes
  for (let i = 0; i < length; i++) to[at + i] = from[i]!
  return at + length
}

/** Those of them from `start` to `end`. */
export function putPart(at: number, from: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (at + length > bytes.length) bytes = grown(bytes, at, length)
  const to = bytes
  if (length > MAX_LOOP_BYTES) to.set(from.subarray(start, end), at)
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!
  return at + length
}

/** For more bytes the call of a function outside JavaScript pays. */
const MAX_LOOP_BYTES = 256

export function putAscii(at: number, text: string): number {
  const { length } = text
  if (at + length > bytes.length) bytes = grown(bytes, at, length)
  const to = bytes
  for (let i = 0; i < length; i++) to[at + i] = text.charCodeAt(i)
  return at + length
}

/** Any text. */
export function putText(at: number, text: string): number {
  if (at + text.length * 3 > bytes.length) {
    const most = mostBytes(text)
    if (at + most > bytes.length) bytes = grown(bytes, at, most)
  }
  return at + bytes.write(text, at)
}

/** A keyword. Its name is short, and mostly all of it is plain. */
export function putName(at: number, name: string): number {
  const { length } = name
  if (at + length + 1 > bytes.length) bytes = grown(bytes, at, length + 1)
  const to = bytes
  to[at] = COLON
  for (let i = 0; i < length; i++) {
    const unit = name.charCodeAt(i)
    if (PLAIN[unit] !== 1) return putText(at + 1, name)
    to[at + 1 + i] = unit
  }
  return at + 1 + length
}

/** For a longer text the call of a function outside JavaScript pays. */
const LOOP_UNITS = 32

export function putString(at: number, text: string): number {
  const { length } = text
  if (length > PIECE_UNITS) return putLong(at, text)
  if (length > LOOP_UNITS) return putText(at, stringText(text))
  if (at + length + 2 > bytes.length) bytes = grown(bytes, at, length + 2)
  const to = bytes
  to[at] = QUOTE
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (PLAIN[unit] !== 1) return putText(at, stringText(text))
    to[at + 1 + i] = unit
  }
  to[at + 1 + length] = QUOTE
  return at + length + 2
}

const PIECE_UNITS = 64 * 1024

/** In pieces, of which none is kept. */
function putLong(at: number, text: string): number {
  if (asides !== undefined) {
    asides.push({ at, text: stringText(text) })
    return at
  }
  const least = Buffer.byteLength(text) + 2
  if (at + least > bytes.length) bytes = grown(bytes, at, least, least >> 3)
  let units = 0
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = pieceEnd(text, from, PIECE_UNITS)
    const piece = JSON.stringify(text.slice(from, to))
    units += piece.length - 2
    checkText(units + 2)
    // Without its opening quote, but at the start; over the closing quote of the one before.
    at = from === 0 ? putText(at, piece) : putText(at - 1, piece.slice(1))
  }
  return at
}

export function putNumber(at: number, number: number): number {
  if ((number | 0) === number && number !== 0 && number !== LEAST_INTEGER) return putInteger(at, number)
  // At most ten digits, four of them behind the point. Fifteen tell any two numbers apart: this is the shortest form.
  const scaled = Math.round(number * FRACTION)
  if (scaled / FRACTION !== number || scaled > MAX_SCALED || scaled < -MAX_SCALED || scaled === 0)
    return putAscii(at, numberText(number))
  if (at + DECIMAL_BYTES > bytes.length) bytes = grown(bytes, at, DECIMAL_BYTES)
  const size = scaled < 0 ? -scaled : scaled
  const whole = (size / FRACTION) | 0
  if (scaled < 0) bytes[at++] = MINUS
  at = putInteger(at, whole)
  bytes[at] = POINT
  at = putDigits(at + 1, (size - whole * FRACTION) | 0, FRACTION_DIGITS)
  while (bytes[at - 1] === ZERO) at--
  return at
}

const FRACTION_DIGITS = 4
const FRACTION = 10 ** FRACTION_DIGITS
const MAX_SCALED = 1e10
const DECIMAL_BYTES = 20

const INTEGER_BYTES = 11
/** The one of 32 bits that has no opposite. */
const LEAST_INTEGER = -(2 ** 31)

export function putInteger(at: number, integer: number): number {
  if (at + INTEGER_BYTES > bytes.length) bytes = grown(bytes, at, INTEGER_BYTES)
  let left = integer
  if (left < 0) {
    bytes[at++] = MINUS
    left = -left
  }
  let digits = 1
  for (let bound = 10; left >= bound; bound *= 10) digits++
  return putDigits(at, left, digits)
}

/** Where there is room. V8 divides by multiplication, as long as it sees nothing but 32-bit integers. */
function putDigits(at: number, integer: number, digits: number): number {
  const to = bytes
  let left = integer | 0
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (left / 10) | 0
    to[i] = ZERO + (left - tenth * 10)
    left = tenth
  }
  return at + digits
}

const COLON = 58
const MINUS = 45
const POINT = 46
const ZERO = 48
const QUOTE = 34
