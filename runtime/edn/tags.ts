import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { describe } from './describe.ts'
import { fromFault } from './fault.ts'
import { parseInst } from './inst.ts'
import { isTagText } from './names.ts'
import { isFields, toObject } from './objects.ts'
import { Uuid } from './values.ts'

/** Makes a value of what a tag stands before. What it throws is reported as malformed input. */
export type TagReader = (value: any) => unknown

/** What a tag means to this process. */
export interface TagHandlers<T = any> {
  /** For reading. */
  read?: TagReader
  /** For writing: instances of this class … */
  class?: abstract new (...args: any[]) => T
  /** … are written as the tag before the value that this makes of them. */
  write?: (value: T) => unknown
}

interface TagWriter {
  tag: string
  write: (value: any) => unknown
}

/** Registers a tag for this process. The function returned takes it back. */
export function registerTag<T>(tag: string, handlers: TagHandlers<T>): () => void {
  const { read, class: type, write } = handlers
  if (typeof tag !== 'string' || !isTagText(tag)) throw new WatError('encode', `not a tag: ${describe(tag)}`)
  if (tag.startsWith('wat/')) throw new WatError('denied', `the namespace wat is reserved: ${tag}`)
  if ((type === undefined) !== (write === undefined)) {
    throw new WatError(
      'encode',
      `a tag is written for a class: ${tag} needs both "class" and "write", or neither`,
    )
  }
  if (read !== undefined) readers.set(tag, read)
  const writer = write && { tag, write }
  if (type !== undefined && writer !== undefined) writers.set(type.prototype, writer)
  return () => {
    if (read !== undefined && readers.get(tag) === read) {
      readers.delete(tag)
      if (BUILT_IN[tag] !== undefined) readers.set(tag, BUILT_IN[tag])
    }
    if (type !== undefined && writers.get(type.prototype) === writer) writers.delete(type.prototype)
  }
}

/** What reads the tag, if anything is registered. */
export function tagReader(tag: string): TagReader | undefined {
  return readers.get(tag)
}

/** What writes the instance: the registration of its class or of the nearest class above. */
export function tagWriter(value: object): TagWriter | undefined {
  if (writers.size === 0) return undefined
  for (let proto = Object.getPrototypeOf(value); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const writer = writers.get(proto)
    if (writer !== undefined) return writer
  }
  return undefined
}

/** The reader that the tag always has, unless another is registered in its place. */
export function builtInReader(tag: string): TagReader | undefined {
  const reader = readers.get(tag)
  return reader === BUILT_IN[tag] ? reader : undefined
}

const BUILT_IN: Record<string, TagReader | undefined> = {
  __proto__: null as never,
  inst: value => must(typeof value === 'string' ? parseInst(value) : undefined, 'an instant'),
  uuid: value => new Uuid(value as string),
  'wat/bytes': value => must(typeof value === 'string' ? parseBytes(value) : undefined, 'base64'),
  'wat/object': value => must(toObject(value), 'a map with strings as keys'),
  'wat/error': value => fromFault(must(isFields(value) ? value : undefined, 'a fault')),
}

const readers = new Map<string, TagReader>(Object.entries(BUILT_IN) as [string, TagReader][])
const writers = new Map<object, TagWriter>()

function parseBytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  // Buffer reads anything; only what is written in the one proper way comes back the same. Inside, that is so
  // if every character has counted and none was of the other alphabet; at the end there may be spare bits.
  const groups = text.length / 4
  const missing = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (bytes.length !== 3 * groups - missing || text.includes('-') || text.includes('_')) return undefined
  if (bytes.subarray(3 * (groups - 1)).toString('base64') !== text.slice(-4)) return undefined
  // A small one stands in memory that Buffer shares out to many, which must not stay alive for it.
  const { buffer, byteOffset, length } = bytes
  return buffer.byteLength === length ? new Uint8Array(buffer, byteOffset, length) : new Uint8Array(bytes)
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new WatError('malformed', `not ${what}`)
  return value
}
