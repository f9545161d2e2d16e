import { canon, type Writing } from './canon.ts'
import { Keyword } from './keyword.ts'
import { builtInReader, tagWriter } from './tags.ts'
import { Tagged } from './values.ts'

/**
 * The index of the first of a Map's keys or a Set's members that is equal in EDN to one before it; -1 if there is
 * none. Every `step`-th item counts.
 */
export function duplicate(items: readonly unknown[], step: 1 | 2): number {
  if (items.length <= step) return -1
  for (let i = 0; i < items.length; i += step) if (!isItself(items[i])) return search(items, step)
  return -1
}

/** What a Map or a Set knows by itself: equal in EDN exactly if it is the same. */
function isItself(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return true
    default:
      return value === null || value instanceof Keyword
  }
}

function search(items: readonly unknown[], step: 1 | 2): number {
  writing ??= { known: new WeakMap(), asRead }
  const seen = new Set<unknown>()
  for (let i = 0; i < items.length; i += step) {
    seen.add(canon(items[i], writing))
    if (seen.size <= i / step) return i
  }
  return -1
}

let writing: Writing | undefined

/** From now on values may be others than they were. */
export function forgetCanons(): void {
  writing = undefined
}

function asRead(value: object): unknown {
  const writer = tagWriter(value)
  if (writer === undefined && !(value instanceof Tagged)) return value
  const { tag, value: inner } =
    writer === undefined ? (value as Tagged) : { tag: writer.tag, value: writer.write(value) }
  const read = builtInReader(tag)
  return read === undefined ? new Tagged(tag, inner) : read(inner)
}
