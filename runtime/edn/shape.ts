import { describe } from './describe.ts'
import { duplicate } from './distinct.ts'
import { toFault } from './fault.ts'
import { Keyword } from './keyword.ts'
import { isError, isPlain } from './plain.ts'
import { adviceFor } from './reference.ts'
import { type Context, deny, refuse } from './refuse.ts'
import { builtInReader, tagWriter } from './tags.ts'
import { fieldText, stringText, tagText } from './text.ts'
import { List, Tagged } from './values.ts'

/** How a composite value is written: brackets, and items each behind its label. */
export interface Shape {
  open: string
  items: readonly unknown[]
  /** Before each item: the keys of an object. */
  labels?: readonly string[]
  /** Items come in pairs of key and value. */
  pairs?: boolean
  close: string
  /** How many levels of nesting a reader sees. */
  levels: number
  /** The step of a path that leads to an item. */
  steps: (index: number) => string | number
}

/** The shape of a value for which `leafText` gave nothing. */
export function shapeOf(value: object, context: Context): Shape {
  const writer = tagWriter(value)
  if (writer !== undefined) return tagged(writer.tag, () => writer.write(value), context)
  if (Array.isArray(value)) {
    const list = value instanceof List
    return { open: list ? '(' : '[', items: value, close: list ? ')' : ']', levels: 1, steps: index => index }
  }
  if (value instanceof Tagged) return tagged(value.tag, () => value.value, context)
  if (value instanceof Map) return mapShape(value, context)
  if (value instanceof Set) return setShape(value, context)
  if (isError(value)) return under('wat/error', '#wat/error ', toFault(value))
  if (isPlain(value)) return fields(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return refuse(context, `an instance of ${className(value)}`, { advice: BYTES })
  }
  return refuse(context, `an instance of ${className(value)}`, { advice: adviceFor(value) })
}

const className = (value: object): string => describe(value.constructor?.name || 'a class')

const BYTES =
  'its bytes can travel, `new Uint8Array(x.buffer, x.byteOffset, x.byteLength)` or `new Uint8Array(buffer)`, and ' +
  'so can the numbers of a typed array, `Array.from(x)`'

function mapShape(map: Map<unknown, unknown>, context: Context): Shape {
  const items: unknown[] = []
  // By the method of Map itself, and below of Set: a class may have others, and give anything.
  for (const [key, value] of Map.prototype.entries.call(map)) items.push(key, value)
  if (duplicate(items, 2) !== -1) refuse(context, 'a Map with two keys that are equal in EDN')
  return {
    open: '{',
    items,
    pairs: true,
    close: '}',
    levels: 1,
    steps: index => (index % 2 === 0 ? '(key)' : show(items[index - 1])),
  }
}

function setShape(set: Set<unknown>, context: Context): Shape {
  const items = [...Set.prototype.values.call(set)]
  const second = duplicate(items, 1)
  if (second !== -1) refuse(context, `a Set with two members that are equal in EDN, the second at ${second}`)
  return { open: '#{', items, close: '}', levels: 1, steps: index => index }
}

function fields(object: Record<string, unknown>): Shape {
  const names: string[] = []
  const items: unknown[] = []
  for (const name of Object.keys(object)) {
    const item = object[name]
    if (item === undefined) continue
    names.push(name)
    items.push(item)
  }
  const steps = (index: number) => names[index]!
  const labels = names.map(fieldText)
  if (labels.every(label => label !== undefined)) {
    return { open: '{', items, labels, close: '}', levels: 1, steps }
  }
  // A name that no keyword can have. As strings all of them, so that a reader of another kind finds one kind of key.
  return {
    open: '#wat/object {',
    items,
    labels: names.map(name => stringText(name) + ' '),
    close: '}',
    levels: 2,
    steps,
  }
}

function tagged(tag: string, body: () => unknown, context: Context): Shape {
  if (context.denyReserved && typeof tag === 'string' && tag.startsWith('wat/')) deny(context, tag)
  try {
    const open = tagText(tag)
    const value = body()
    // What the reader of such a tag would refuse. What it makes of the value is not looked at.
    builtInReader(tag)?.(value)
    return under(tag, open, value)
  } catch (cause) {
    return refuse(context, `such a value under the tag #${describe(tag)}`, { cause })
  }
}

function under(tag: string, open: string, value: unknown): Shape {
  return { open, items: [value], close: '', levels: 1, steps: () => `#${tag}` }
}

const show = (key: unknown): string | number =>
  typeof key === 'string' || typeof key === 'number' ? key : key instanceof Keyword ? key.name : '(value)'
