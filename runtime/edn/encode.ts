import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { forgetCanons } from './distinct.ts'
import { isGenuine, Keyword } from './keyword.ts'
import { layout } from './layout.ts'
import { leafText } from './leaf.ts'
import { Out } from './out.ts'
import {
  asides,
  bytes,
  putAscii,
  putByte,
  putBytes,
  putInteger,
  putPart,
  putName,
  putNumber,
  putString,
  putText,
  writeInto,
} from './put.ts'
import { referWith } from './reference.ts'
import { rootContext } from './refuse.ts'
import { shapeOf } from './shape.ts'
import { fieldLabel, type Label, stringText } from './text.ts'
import { writeAtMost } from './too-large.ts'
import { List } from './values.ts'

/**
 * The value as EDN on one line. Throws a `WatError`: `encode` for what EDN cannot carry and, if `denyReserved`,
 * `denied` for a tag of the reserved namespace `wat`; `data.path` names the culprit.
 */
export function encode(value: unknown, denyReserved = true): string {
  if (typeof value === 'string') return stringText(value)
  const out = spare.busy ? new Out(true) : spare
  encodeTo(out, value, denyReserved)
  return out.takeText()
}

const spare = new Out(true)

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
  checkIdle(out)
  const outerAsides = asides
  const outer = writeInto(out.bytes, out.asides)
  const outerRefer = referWith(out.refer)
  const outerMost = writeAtMost(out.most)
  out.busy = true
  try {
    let at = putBytes(out.length, before)
    if (id !== undefined) at = putByte((id | 0) === id ? putInteger(at, id) : putAscii(at, '' + id), SPACE)
    out.length = putBytes(putValue(at, value, denyReserved), behind)
  } finally {
    out.busy = false
    out.bytes = writeInto(outer, outerAsides)
    referWith(outerRefer)
    writeAtMost(outerMost)
  }
}

/** A value that is written already: a part of these bytes. */
interface Written {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** The same with one of these. */
export function appendLine(
  out: Out,
  before: Uint8Array,
  id: number,
  text: Written,
  behind: Uint8Array,
): void {
  checkIdle(out)
  const outerAsides = asides
  const outer = writeInto(out.bytes, undefined)
  try {
    let at = putBytes(out.length, before)
    at = putByte((id | 0) === id ? putInteger(at, id) : putAscii(at, '' + id), SPACE)
    at = putPart(at, text.bytes, text.from, text.to)
    out.length = putBytes(at, behind)
  } finally {
    out.bytes = writeInto(outer, outerAsides)
  }
}

/** A getter or the writer of a tag may do anything, such as sending a value of its own. */
export function checkIdle(out: Out): void {
  if (out.busy) throw new WatError('denied', 'a value that is being written cannot send another the same way')
}

function putValue(at: number, value: unknown, denyReserved: boolean): number {
  forgetCanons()
  return putFast(at, value, denyReserved) ?? putText(at, layout(value, rootContext(denyReserved), false))
}

/** `undefined`: the fast way keeps no path, and what cannot be written needs one, so it is to go the slow way. */
function putFast(at: number, value: unknown, denyReserved: boolean): number | undefined {
  if (isPolluted()) return undefined
  const mode = denyReserved ? DENY : 0
  try {
    return put(at, value, 0, mode)
  } catch (error) {
    forgetAsides()
    if (error !== ODD_NAME) return undefined
  }
  try {
    return put(at, value, 0, mode | CAREFUL)
  } catch {
    forgetAsides()
    return undefined
  }
}

function forgetAsides(): void {
  if (asides !== undefined) asides.length = 0
}

/** Tags of the namespace `wat` are refused. */
const DENY = 1
/** The names of an object are looked at before its first field is written: there has been an odd one. */
const CAREFUL = 2
/** Thrown at a name that no keyword can have. */
const ODD_NAME = new Error('a name that no keyword can have')

// Calls are the fastest stack there is, but it ends; below this, `layout` goes on with one of its own, and looks
// for cycles, which all come by there.
const MAX_CALLS = 400

function put(at: number, value: unknown, depth: number, mode: number): number {
  if (typeof value === 'string') return putString(at, value)
  if (typeof value === 'number') return putNumber(at, value)
  if (typeof value === 'boolean') return putBytes(at, value ? TRUE : FALSE)
  if (typeof value !== 'object') return putLeaf(at, value, mode)
  if (value === null) return putBytes(at, NIL)
  if (depth >= MAX_CALLS) return putDeep(at, value, depth, mode)
  if (Array.isArray(value)) return putItems(at, value, depth, mode)
  if (value instanceof Keyword) return isGenuine(value) ? putName(at, value.name) : putLeaf(at, value, mode)
  if (Object.getPrototypeOf(value) === Object.prototype && mode < CAREFUL)
    return putFields(at, value as Fields, depth, mode)
  return putOther(at, value, depth, mode)
}

function putLeaf(at: number, value: unknown, mode: number): number {
  return putText(at, leafText(value, contextOf(mode))!)
}

function putDeep(at: number, value: object, depth: number, mode: number): number {
  return putText(at, layout(value, contextOf(mode), false, depth))
}

const contextOf = (mode: number) => rootContext((mode & DENY) !== 0)

type Fields = Record<string, unknown>

function putItems(at: number, items: readonly unknown[], depth: number, mode: number): number {
  const list = items.constructor !== Array && items instanceof List
  at = putByte(at, list ? 40 : 91)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) at = putByte(at, SPACE)
    at = put(at, items[i], depth + 1, mode)
  }
  return putByte(at, list ? 41 : 93)
}

// `for in` knows where the fields are, `Object.keys` does not; inherited ones were ruled out by `isPolluted`.
function putFields(at: number, object: Fields, depth: number, mode: number): number {
  const start = at
  let label = before
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    let next = label.likely
    if (next === undefined || next.name !== name) {
      next = fieldLabel(name) ?? odd()
      label.likely = next
    }
    label = next
    at = put(putBytes(at, label.bytes), value, depth + 1, mode)
  }
  // Each label begins with a space; the first one's is where the brace belongs.
  if (at === start) at++
  at = putByte(at, 125)
  bytes[start] = 123
  return at
}

function odd(): never {
  throw ODD_NAME
}

function hasOddName(object: Fields): boolean {
  for (const name in object) if (object[name] !== undefined && fieldLabel(name) === undefined) return true
  return false
}

/** Before the first field. */
const before: Label = { name: '', bytes: NOTHING_BEFORE, likely: undefined }

function putOther(at: number, value: object, depth: number, mode: number): number {
  if (Object.getPrototypeOf(value) === Object.prototype && !hasOddName(value as Fields))
    return putFields(at, value as Fields, depth, mode)
  const context = contextOf(mode)
  const leaf = leafText(value, context)
  if (leaf !== undefined) return putText(at, leaf)
  const { open, items, labels, close, levels } = shapeOf(value, context)
  at = putText(at, open)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) at = putByte(at, SPACE)
    if (labels !== undefined) at = putText(at, labels[i]!)
    at = put(at, items[i], depth + levels, mode)
  }
  return putText(at, close)
}

const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))
const NIL = new Uint8Array(Buffer.from('nil'))
const SPACE = 32

function isPolluted(): boolean {
  for (const name in NOTHING) return name !== ''
  return false
}

const NOTHING = {}
