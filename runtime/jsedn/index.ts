import '../version.ts'
import { Buffer } from 'node:buffer'
// @ts-expect-error jsedn comes without types; what we use of it is in model.ts.
import jsedn from 'jsedn'
import {
  Char,
  Decimal,
  Double,
  EdnMap,
  EdnSet,
  Keyword,
  kw,
  List,
  Ratio,
  Sym,
  Tagged,
  Uuid,
} from '../edn/index.ts'
import { fromFault, toFault } from '../edn/fault.ts'
import { isKeywordText } from '../edn/names.ts'
import { toObject } from '../edn/objects.ts'
import { isError, isPlain } from '../edn/plain.ts'
import { WatError } from '../error.ts'
import type { Jsedn, JsednObject } from './model.ts'

const model = jsedn as Jsedn

/**
 * Our value as one of jsedn 0.4.1's model, without a detour by text. What jsedn has no class for becomes its
 * `Tagged`: `#inst` and `#uuid` texts, `#wat/bytes`, and `#wat.jsedn/decimal` and the like.
 */
export function toJsedn(value: unknown): unknown {
  return convert(value, intoJsedn)
}

/** A value of jsedn's model as one of ours. Undoes `toJsedn`. */
export function fromJsedn(value: unknown): unknown {
  return convert(value, outOfJsedn)
}

/** A value taken apart: what is inside, and how to put it together again; or what it becomes as it is. */
type Parts = { inside: unknown[]; build: (inside: unknown[]) => unknown } | { leaf: unknown }

// Never by jsedn's kw(), sym() and char(): they look names up in plain objects, where `constructor` is found, and
// keep every name for ever.
function intoJsedn(value: unknown): Parts {
  if (typeof value === 'bigint') return { leaf: new model.BigInt(String(value)) }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { leaf: tagged('wat.jsedn/float', Object.is(value, -0) ? '-0' : String(value)) }
  }
  if (typeof value === 'function' || typeof value === 'symbol') return refuse(`a ${typeof value}`)
  if (value === undefined) return { leaf: null }
  if (typeof value !== 'object' || value === null) return { leaf: value }
  if (value instanceof Keyword) return { leaf: symbolic(model.Keyword, ':' + value.name) }
  if (value instanceof Sym) return { leaf: symbolic(model.Symbol, value.name) }
  if (value instanceof Char) return { leaf: charInto(value.value) }
  if (value instanceof Decimal) return { leaf: tagged('wat.jsedn/decimal', value.text) }
  if (value instanceof Ratio) return { leaf: tagged('wat.jsedn/ratio', value.toString()) }
  if (value instanceof Double) return { leaf: value.value }
  if (value instanceof Uuid) return { leaf: tagged('uuid', value.text) }
  if (value instanceof Date) return { leaf: new Date(value) }
  if (value instanceof URL) return { leaf: value.href }
  if (value instanceof Uint8Array) return { leaf: tagged('wat/bytes', Buffer.from(value).toString('base64')) }
  if (value instanceof Tagged) {
    return { inside: [value.value], build: ([inner]) => tagged(value.tag, inner) }
  }
  if (value instanceof List) return { inside: [...value], build: items => new model.List(items) }
  if (Array.isArray(value)) return { inside: value, build: items => new model.Vector(items) }
  if (value instanceof Set) return { inside: [...value], build: setInto }
  if (value instanceof Map) return { inside: [...value].flat(1), build: items => new model.Map(items) }
  if (isError(value)) return { inside: [toFault(value)], build: ([fault]) => tagged('wat/error', fault) }
  if (!isPlain(value)) return refuse('an instance of a class')
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  if (fields.every(([name]) => isKeywordText(name))) {
    return {
      inside: fields.flatMap(([name, field]) => [kw(name), field]),
      build: items => new model.Map(items),
    }
  }
  return { inside: fields.flat(1), build: items => tagged('wat/object', new model.Map(items)) }
}

function outOfJsedn(value: unknown): Parts {
  if (typeof value !== 'object' || value === null) return { leaf: value }
  if (value instanceof model.Keyword) return { leaf: kw(text(value).slice(1)) }
  if (value instanceof model.Symbol) return { leaf: new Sym(text(value)) }
  if (value instanceof model.BigInt) return { leaf: BigInt(text(value).replace(/^\+|N$/g, '')) }
  if (value instanceof model.Char) return { leaf: new Char(CHARS[text(value)] ?? text(value)) }
  if (value instanceof model.Tagged) {
    const tag = value.tag().dn()
    return { inside: [value.obj()], build: ([inner]) => taggedOut(tag, inner) }
  }
  if (value instanceof model.List) return { inside: [...value.val], build: items => listOf(items) }
  if (value instanceof model.Vector) return { inside: [...value.val], build: items => items }
  if (value instanceof model.Set) return { inside: [...value.val], build: items => new EdnSet(items) }
  if (value instanceof model.Map) {
    const { keys, vals } = value
    return { inside: keys.flatMap((key, i) => [key, vals[i]]), build: mapOut }
  }
  if (value instanceof Date) return { leaf: value }
  if (Array.isArray(value)) return { inside: value, build: items => items }
  return refuse('an object that is not of jsedn’s model')
}

interface Frame {
  value: unknown
  parts: Exclude<Parts, { leaf: unknown }>
  done: unknown[]
}

// With a stack of its own: values nest deeper than calls can.
function convert(root: unknown, take: (value: unknown) => Parts): unknown {
  const stack: Frame[] = []
  const active = new Set<unknown>()
  const top: Frame = { value: undefined, parts: { inside: [root], build: ([made]) => made }, done: [] }
  for (let frame = top; ;) {
    if (frame.done.length === frame.parts.inside.length) {
      const made = frame.parts.build(frame.done)
      active.delete(frame.value)
      const parent = stack.pop()
      if (parent === undefined) return made
      parent.done.push(made)
      frame = parent
      continue
    }
    const value = frame.parts.inside[frame.done.length]
    const parts = take(value)
    if ('leaf' in parts) frame.done.push(parts.leaf)
    else {
      if (active.has(value)) refuse('a cycle')
      active.add(value)
      stack.push(frame)
      frame = { value, parts, done: [] }
    }
  }
}

function tagged(tag: string, value: unknown): JsednObject {
  return new model.Tagged(new model.Tag(tag), value)
}

// jsedn's constructor knows fewer names than EDN; it is only asked to make the object.
function symbolic(type: Jsedn['Symbol'], name: string): JsednObject {
  const object = Object.create(type.prototype) as JsednObject & { ns: string | null; name: string }
  const slash = name.indexOf('/')
  const bare = slash <= 0 || name === ':/'
  object.ns = bare ? null : name.slice(0, slash)
  object.name = bare ? name : name.slice(slash + 1)
  object.val = name
  return object
}

const CHARS: Record<string, string | undefined> = {
  newline: '\n', return: '\r', space: ' ', tab: '\t', formfeed: '\f',
} // prettier-ignore

function charInto(char: string): JsednObject {
  const named = Object.keys(CHARS).find(name => CHARS[name] === char)
  const object = Object.create(model.Char.prototype) as JsednObject
  object.val = named ?? char
  return object
}

// jsedn's constructor compares every two members, by identity; ours are distinct by value already.
function setInto(items: unknown[]): JsednObject {
  const set = new model.Set([])
  set.val = items
  return set
}

function taggedOut(tag: string, inner: unknown): unknown {
  if (typeof inner === 'string') {
    if (tag === 'uuid') return new Uuid(inner)
    if (tag === 'wat/bytes') return new Uint8Array(Buffer.from(inner, 'base64'))
    if (tag === 'wat.jsedn/decimal') return new Decimal(inner)
    if (tag === 'wat.jsedn/float') return Number(inner)
    if (tag === 'wat.jsedn/ratio') {
      const [numerator, denominator] = inner.split('/')
      return new Ratio(BigInt(numerator!), BigInt(denominator!))
    }
  }
  if (tag === 'wat/object')
    return toObject(inner) ?? refuse('#wat/object before anything but strings as keys')
  return tag === 'wat/error' ? fromFault(inner) : new Tagged(tag, inner)
}

function listOf(items: unknown[]): List {
  const list = new List()
  for (const item of items) list.push(item)
  return list
}

function mapOut(items: unknown[]): unknown {
  const entries = Array.from(
    { length: items.length / 2 },
    (_, i) => [items[2 * i], items[2 * i + 1]] as const,
  )
  if (entries.some(([key]) => !(key instanceof Keyword))) return new EdnMap(entries)
  return Object.fromEntries(entries.map(([key, value]) => [(key as Keyword).name, value]))
}

const text = (object: JsednObject): string => String(object.val)

function refuse(what: string): never {
  throw new WatError('encode', `cannot convert ${what}`)
}
