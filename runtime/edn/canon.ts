import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { Keyword } from './keyword.ts'
import { isPlain } from './plain.ts'
import { Char, Decimal, Double, integer, Ratio, Sym, Tagged, Uuid } from './values.ts'

/** A collection's method that gives the canonical forms of its keys or members, in their order. */
export const CANONS = Symbol('canons')

/**
 * A primitive that stands for the value: two values are equal in EDN exactly if theirs are `===`-equal (or both
 * NaN). Short ones are spelt out, long ones are SHA-256 digests, so that no input can make them collide. What is
 * no EDN value is only equal to itself.
 */
export function canon(value: unknown): unknown {
  const atom = atomCanon(value)
  return atom === undefined ? compositeCanon(value as object) : atom
}

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
      return MARK + 'undefined'
    default:
      return value
  }
}

function objectCanon(value: object): unknown {
  if (value instanceof Keyword) return value
  if (value instanceof Sym) return MARK + 'y' + value.name
  if (value instanceof Char) return MARK + 'c' + value.value
  if (value instanceof Double) return value.value
  if (value instanceof Ratio) return MARK + 'r' + value.toString()
  if (value instanceof Decimal) return MARK + 'm' + decimalCanon(value.text)
  if (value instanceof Uuid) return MARK + 'u' + value.text
  if (value instanceof Date) return MARK + 'd' + value.getTime()
  if (value instanceof Uint8Array) {
    return seal('b' + Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
  }
  return undefined
}

// As in Clojure 1.0M equals 1.00M. Exponents may be huge: nothing is expanded.
function decimalCanon(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^([+-]?)(\d+)\.?(\d*)?(?:[eE](.+))?$/.exec(text)!
  const digits = (whole! + fraction).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  const scale =
    BigInt(exponent.replace('+', '')) - BigInt(fraction.length) + BigInt(digits.length - kept.length)
  return `${sign === '-' ? '-' : ''}${kept}e${scale}`
}

interface Frame {
  of: object
  kind: string
  children: unknown[]
  next: number
  parts: string[]
}

// With a stack of its own: values nest deeper than calls can.
function compositeCanon(root: object): unknown {
  const stack: Frame[] = []
  const active = new Set<object>()
  const first = open(root)
  if (first === undefined) return root
  let frame = first
  active.add(root)
  for (;;) {
    if (frame.next < frame.children.length) {
      const child = frame.children[frame.next++]
      const atom = atomCanon(child)
      const inner = atom === undefined ? open(child as object) : undefined
      if (inner === undefined) {
        frame.parts.push(spell(atom === undefined ? child : atom))
        continue
      }
      if (active.has(inner.of)) throw new WatError('encode', 'a cycle is no EDN value')
      active.add(inner.of)
      stack.push(frame)
      frame = inner
      continue
    }
    const done = close(frame)
    active.delete(frame.of)
    const parent = stack.pop()
    if (parent === undefined) return done
    parent.parts.push(spell(done))
    frame = parent
  }
}

function open(value: object): Frame | undefined {
  const frame = (kind: string, children: unknown[], parts: string[] = []): Frame => ({
    of: value,
    kind,
    children,
    next: 0,
    parts,
  })
  if (Array.isArray(value)) return frame('[', value)
  if (value instanceof Set) {
    const members = spellAll(value)
    return members === undefined ? frame('#', [...value]) : frame('#', [], members)
  }
  if (value instanceof Map) {
    const keys = spellAll(value)
    return keys === undefined
      ? frame('{', [...value.keys(), ...value.values()])
      : frame('{', [...value.values()], keys)
  }
  if (value instanceof Tagged) return frame('t', [value.tag, value.value])
  if (isPlain(value)) {
    return frame(
      '{',
      Object.values(value),
      Object.keys(value).map(key => 'k' + key.length + ':' + key),
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
  return typeof atom === 'number' ? 'n' + (atom === 0 ? 0 : atom) + ';' : typeof atom + String(atom) + ';'
}

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
