import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { FLOAT } from './digits.ts'
import { toFault } from './fault.ts'
import { Keyword } from './keyword.ts'
import { MAX_DEPTH } from './depth.ts'
import { isError, isPlain } from './plain.ts'
import { Char, Decimal, Double, integer, Ratio, Sym, Tagged, Uuid } from './values.ts'

/** A collection's method that gives the canonical forms of its keys or members, in their order. */
export const CANONS = Symbol('canons')

/**
 * A primitive that stands for the value: two values are equal in EDN exactly if theirs are `===`-equal (or both
 * NaN). Short ones are spelt out, long ones are SHA-256 digests, so that no input can make them collide. What is
 * no EDN value is only equal to itself.
 *
 * As a writer needs it: a value is what it will be read as, and what collections have kept does not count, for their
 * members may have changed.
 */
export function canon(value: unknown, writing?: Writing): unknown {
  const read = asRead(value, writing)
  const atom = atomCanon(read)
  return atom === undefined ? compositeCanon(value as object, read as object, writing) : atom
}

export interface Writing {
  /** The forms of composites: what nests is looked at once. */
  known: WeakMap<object, unknown>
  /** What a reader makes of the object, where that is another. */
  asRead(value: object): unknown
}

const asRead = (value: unknown, writing: Writing | undefined): unknown =>
  writing === undefined || typeof value !== 'object' || value === null ? value : writing.asRead(value)

/** Equality of EDN: by value, lists equal to vectors, `1` to `1N`; NaN is equal to itself here. */
export function equals(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || a === b || sameValueZero(canon(a), canon(b))
}

const sameValueZero = (a: unknown, b: unknown): boolean => a === b || (a !== a && b !== b)

// A text that starts with the mark is not a string's own: no string of the user can pass for a composite.
const MARK = '\0'

function atomCanon(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.startsWith(MARK) ? MARK + 's' + value : value
    case 'bigint':
      return integer(value)
    case 'object':
      return value === null ? null : objectCanon(value)
    case 'undefined':
      return null
    default:
      return value
  }
}

function objectCanon(value: object): unknown {
  if (value instanceof Keyword) return value
  if (value instanceof Sym) return MARK + 'y' + value.name
  if (value instanceof Char) return MARK + 'c' + value.value
  if (value instanceof Double) return value.value
  if (value instanceof Ratio) return MARK + 'r' + hex(value.numerator) + '/' + hex(value.denominator)
  if (value instanceof Decimal) return MARK + 'm' + decimalCanon(value.text)
  if (value instanceof Uuid) return MARK + 'u' + value.text
  if (value instanceof Date) return MARK + 'd' + value.getTime()
  if (value instanceof URL) return value.href
  if (value instanceof Uint8Array) {
    return seal('b' + Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
  }
  return undefined
}

// As in Clojure 1.0M equals 1.00M. Exponents may be huge: nothing is expanded.
function decimalCanon(text: string): string {
  if (!FLOAT.test(text)) return text
  const at = text.search(/[eE]/)
  const end = at === -1 ? text.length : at
  const exponent = at === -1 ? 0n : BigInt(text.slice(at + 1).replace('+', ''))
  const point = text.indexOf('.')
  const digits = text.slice(0, end).replace(/[+.-]/g, '')
  let first = 0
  while (digits[first] === '0') first++
  let last = digits.length
  while (last > first && digits[last - 1] === '0') last--
  if (first === last) return '0'
  const fraction = point === -1 ? 0 : end - point - 1
  const scale = exponent - BigInt(fraction) + BigInt(digits.length - last)
  return `${text.startsWith('-') ? '-' : ''}${digits.slice(first, last)}e${scale}`
}

interface Frame {
  of: object
  kind: string
  children: unknown[]
  next: number
  parts: string[]
}

// With a stack of its own: values nest deeper than calls can.
function compositeCanon(root: object, read: object, writing: Writing | undefined): unknown {
  const known = writing?.known
  const stack: Frame[] = []
  const active = new Set<object>()
  const before = known?.get(root)
  if (before !== undefined) return before
  const first = open(root, read, writing)
  if (first === undefined) return root
  let frame = first
  active.add(root)
  for (;;) {
    if (frame.next < frame.children.length) {
      const child = frame.children[frame.next++]
      const childRead = asRead(child, writing)
      const atom = atomCanon(childRead)
      const form = atom === undefined ? known?.get(child as object) : atom
      const inner = form === undefined ? open(child as object, childRead as object, writing) : undefined
      if (inner === undefined) {
        frame.parts.push(spell(form === undefined ? child : form))
        continue
      }
      if (active.has(inner.of)) throw new WatError('encode', 'a cycle is no EDN value')
      if (stack.length > MAX_DEPTH) throw new WatError('encode', 'what is nested so deep is no EDN value')
      active.add(inner.of)
      stack.push(frame)
      frame = inner
      continue
    }
    const done = close(frame)
    active.delete(frame.of)
    known?.set(frame.of, done)
    const parent = stack.pop()
    if (parent === undefined) return done
    parent.parts.push(spell(done))
    frame = parent
  }
}

function open(of: object, value: object, writing: Writing | undefined): Frame | undefined {
  const frame = (kind: string, children: unknown[], parts: string[] = []): Frame => ({
    of,
    kind,
    children,
    next: 0,
    parts,
  })
  if (Array.isArray(value)) return frame('[', value)
  if (value instanceof Set) {
    const members = writing ? undefined : spellAll(value)
    return members === undefined ? frame('#', [...value]) : frame('#', [], members)
  }
  if (value instanceof Map) {
    const keys = writing ? undefined : spellAll(value)
    return keys === undefined
      ? frame('{', [...value.keys(), ...value.values()])
      : frame('{', [...value.values()], keys)
  }
  if (value instanceof Tagged) return frame('t', [value.tag, value.value])
  if (isError(value)) return frame('t', ['wat/error', toFault(value)])
  if (isPlain(value)) {
    const names = Object.keys(value).filter(name => value[name] !== undefined)
    return frame(
      '{',
      names.map(name => value[name]),
      names.map(name => 'k' + name.length + ':' + name),
    )
  }
  return undefined
}

// Our collections keep the canonical forms: without that, sets nested in sets would cost the square of the depth.
function spellAll(value: object): string[] | undefined {
  const canons = (value as { [CANONS]?: () => Iterable<unknown> })[CANONS]
  return canons === undefined ? undefined : Array.from(canons.call(value), spell)
}

function close({ kind, parts }: Frame): unknown {
  if (kind === '#') parts.sort()
  if (kind === '{') {
    // Keys came first, then their values in the same order.
    const half = parts.length / 2
    parts = Array.from({ length: half }, (_, i) => parts[i]! + parts[half + i]!).sort()
  }
  return seal(kind + parts.join(''))
}

// Unambiguous in a row: every spelling tells its kind and its length.
function spell(atom: unknown): string {
  if (typeof atom === 'string') return 's' + atom.length + ':' + atom
  if (atom instanceof Keyword) return 'k' + atom.name.length + ':' + atom.name
  if (typeof atom === 'object' && atom !== null) return 'o' + identity(atom) + ';'
  if (typeof atom === 'function') return 'f' + identity(atom) + ';'
  if (typeof atom === 'symbol') return 'S' + identity(atom as unknown as object) + ';'
  if (typeof atom === 'bigint') return 'i' + hex(atom) + ';'
  return typeof atom === 'number' ? 'n' + (atom === 0 ? 0 : atom) + ';' : typeof atom + String(atom) + ';'
}

/** For a large one its decimal digits would take longer than linear time. */
const hex = (value: bigint): string => value.toString(16)

let identities = 0
const identityOf = new WeakMap<object, number>()
function identity(value: object): number {
  let id = identityOf.get(value)
  if (id === undefined) identityOf.set(value, (id = ++identities))
  return id
}

const LONG_UNITS = 100

function seal(text: string): string {
  if (text.length <= LONG_UNITS) return MARK + text
  // Lone surrogates must not be confused with one another, as they would be in UTF-8.
  const bytes = text.isWellFormed() ? text : JSON.stringify(text)
  return MARK + 'h' + process.getBuiltinModule('node:crypto').hash('sha256', bytes, 'base64')
}
