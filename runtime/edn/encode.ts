import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { Keyword } from './keyword.ts'
import { layout } from './layout.ts'
import { grown, mostBytes, Out } from './out.ts'
import { leafText, refuse, shapeOf } from './shape.ts'
import { fieldLabel, type Label, numberText, PLAIN, stringText } from './text.ts'
import { List } from './values.ts'

/**
 * The value as EDN on one line. Throws a `WatError`: `encode` for what EDN cannot carry and, if `denyReserved`,
 * `denied` for a tag of the reserved namespace `wat`; `data.path` names the culprit.
 */
export function encode(value: unknown, denyReserved = true): string {
  const out = spare.busy ? new Out() : spare
  encodeTo(out, value, denyReserved)
  const text = out.bytes.toString('utf8', 0, out.length)
  out.clear()
  return text
}

const spare = new Out()

/** Writes the value behind what is there, as `encode` does. What throws has written nothing. */
export function encodeTo(out: Out, value: unknown, denyReserved = true): void {
  encodeLine(out, NOTHING_BEFORE, undefined, value, NOTHING_BEFORE, denyReserved)
}

const NOTHING_BEFORE = new Uint8Array(0)

/** The same with bytes before it, a number and a space if one is given, and bytes behind it. */
export function encodeLine(
  out: Out,
  before: Uint8Array,
  id: number | undefined,
  value: unknown,
  behind: Uint8Array,
  denyReserved = true,
): void {
  // A getter or the writer of a tag may do anything, such as sending a value of its own.
  if (out.busy) throw new WatError('denied', 'a value that is being written cannot send another the same way')
  const outer = bytes
  bytes = out.bytes
  out.busy = true
  try {
    let at = putBytes(out.length, before)
    if (id !== undefined) at = putByte((id | 0) === id ? putInteger(at, id) : putAscii(at, '' + id), SPACE)
    out.length = putBytes(putValue(at, value, denyReserved), behind)
  } finally {
    out.busy = false
    out.bytes = bytes
    bytes = outer
  }
}

function putValue(at: number, value: unknown, denyReserved: boolean): number {
  try {
    if (!isPolluted()) return put(at, value, 0, denyReserved)
  } catch {
    // The fast way keeps no path. Going the slow way to the same culprit tells where it is.
  }
  return putText(at, layout(value, { denyReserved, path: [] }, false))
}

/** What is being written to. */
let bytes: Buffer = spare.bytes

// Calls are the fastest stack there is, but it ends; below this, `layout` goes on with one of its own, and looks
// for cycles, which all come by there.
const MAX_CALLS = 400

// Each of these writes at `at` and gives the place behind it. Bytes, not text: a text put together from a
// hundred pieces costs more in memory that is thrown away than in time.
function put(at: number, value: unknown, depth: number, denyReserved: boolean): number {
  if (typeof value === 'string') return putString(at, value)
  if (typeof value === 'number') return putNumber(at, value)
  if (typeof value === 'boolean') return putBytes(at, value ? TRUE : FALSE)
  if (typeof value !== 'object') return putText(at, leafText(value, { denyReserved, path: [] })!)
  if (value === null) return putBytes(at, NIL)
  if (depth === MAX_CALLS) return putText(at, layout(value, { denyReserved, path: [] }, false))
  if (Array.isArray(value)) return putItems(at, value, depth, denyReserved)
  if (value instanceof Keyword) return putName(at, value.name)
  if (Object.getPrototypeOf(value) === Object.prototype)
    return putFields(at, value as Fields, depth, denyReserved)
  return putOther(at, value, depth, denyReserved)
}

type Fields = Record<string, unknown>

function putItems(at: number, items: readonly unknown[], depth: number, denyReserved: boolean): number {
  const list = items.constructor !== Array && items instanceof List
  at = putByte(at, list ? 40 : 91)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) at = putByte(at, SPACE)
    at = put(at, items[i], depth + 1, denyReserved)
  }
  return putByte(at, list ? 41 : 93)
}

// `for in` knows where the fields are, `Object.keys` does not; inherited ones were ruled out by `isPolluted`.
function putFields(at: number, object: Fields, depth: number, denyReserved: boolean): number {
  const start = at
  let label = before
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    let next = label.likely
    if (next === undefined || next.name !== name) {
      next = fieldLabel(name) ?? refuse({ denyReserved, path: [name] }, 'the field name')
      label.likely = next
    }
    label = next
    at = put(putBytes(at, label.bytes), value, depth + 1, denyReserved)
  }
  // Each label begins with a space; the first one's is where the brace belongs.
  if (at === start) at++
  at = putByte(at, 125)
  bytes[start] = 123
  return at
}

/** Before the first field. */
const before: Label = { name: '', bytes: NOTHING_BEFORE, likely: undefined }

function putOther(at: number, value: object, depth: number, denyReserved: boolean): number {
  const context = { denyReserved, path: [] }
  const leaf = leafText(value, context)
  if (leaf !== undefined) return putText(at, leaf)
  const { open, items, labels, close } = shapeOf(value, context)
  at = putText(at, open)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) at = putByte(at, SPACE)
    if (labels !== undefined) at = putText(at, labels[i]!)
    at = put(at, items[i], depth + 1, denyReserved)
  }
  return putText(at, close)
}

function putByte(at: number, byte: number): number {
  if (at === bytes.length) bytes = grown(bytes, at, 1)
  bytes[at] = byte
  return at + 1
}

function putBytes(at: number, from: Uint8Array): number {
  const { length } = from
  if (at + length > bytes.length) bytes = grown(bytes, at, length)
  const to = bytes
  for (let i = 0; i < length; i++) to[at + i] = from[i]!
  return at + length
}

function putAscii(at: number, text: string): number {
  const { length } = text
  if (at + length > bytes.length) bytes = grown(bytes, at, length)
  const to = bytes
  for (let i = 0; i < length; i++) to[at + i] = text.charCodeAt(i)
  return at + length
}

/** Any text. */
function putText(at: number, text: string): number {
  const most = mostBytes(text)
  if (at + most > bytes.length) bytes = grown(bytes, at, most)
  return at + bytes.write(text, at)
}

/** A keyword. Its name is short, and mostly all of it is plain. */
function putName(at: number, name: string): number {
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

function putString(at: number, text: string): number {
  const { length } = text
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

function putNumber(at: number, number: number): number {
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

function putInteger(at: number, integer: number): number {
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

const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))
const NIL = new Uint8Array(Buffer.from('nil'))

const COLON = 58
const MINUS = 45
const POINT = 46
const ZERO = 48
const SPACE = 32
const QUOTE = 34

function isPolluted(): boolean {
  for (const name in NOTHING) return name !== ''
  return false
}

const NOTHING = {}
