import { WatError } from '../error.ts'
import { formatInst } from './inst.ts'
import { Keyword } from './keyword.ts'
import { isPlain } from './plain.ts'
import { tagWriter } from './tags.ts'
import { base64Text, charText, doubleText, fieldText, numberText, stringText, tagText } from './text.ts'
import { Char, Decimal, Double, List, Ratio, Sym, Tagged, Uuid } from './values.ts'

/** What goes for the whole of one writing. */
export interface Context {
  denyReserved: boolean
  /** The way from the root to what is being written. */
  path: (string | number)[]
}

/** How a composite value is written: brackets, and items each behind its label. */
export interface Shape {
  open: string
  items: readonly unknown[]
  /** Before each item: the keys of an object. */
  labels?: readonly string[]
  /** Items come in pairs of key and value. */
  pairs?: boolean
  close: string
  /** The step of a path that leads to an item. */
  steps: (index: number) => string | number
}

/** The text of a value that has no others inside; `undefined` if it has. */
export function leafText(value: unknown, context: Context): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return numberText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value + 'N'
    case 'object':
      return value === null ? 'nil' : leafObjectText(value, context)
    default:
      return refuse(context, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
}

function leafObjectText(value: object, context: Context): string | undefined {
  if (Array.isArray(value)) return undefined
  if (value instanceof Keyword) return ':' + value.name
  if (value instanceof Sym) return value.name
  if (value instanceof Double) return doubleText(value.value)
  if (value instanceof Char) return charText(value.value)
  if (value instanceof Decimal) return value.text + 'M'
  if (value instanceof Ratio) return value.toString()
  if (value instanceof Uuid) return `#uuid "${value.text}"`
  if (value instanceof Date)
    return `#inst "${formatInst(value) ?? refuse(context, 'a date that #inst cannot say')}"`
  if (value instanceof Uint8Array && tagWriter(value) === undefined) {
    return `#wat/bytes "${base64Text(value)}"`
  }
  return undefined
}

/** The shape of a value for which `leafText` gave nothing. */
export function shapeOf(value: object, context: Context): Shape {
  const writer = tagWriter(value)
  if (writer !== undefined) return tagged(writer.tag, () => writer.write(value), context)
  if (Array.isArray(value)) {
    const list = value instanceof List
    return { open: list ? '(' : '[', items: value, close: list ? ')' : ']', steps: index => index }
  }
  if (value instanceof Tagged) return tagged(value.tag, () => value.value, context)
  if (value instanceof Map) {
    const items = [...value].flat(1)
    return {
      open: '{',
      items,
      pairs: true,
      close: '}',
      steps: index => (index % 2 === 0 ? '(key)' : show(items[index - 1])),
    }
  }
  if (value instanceof Set) return { open: '#{', items: [...value], close: '}', steps: index => index }
  if (isPlain(value)) return fields(value, context)
  return refuse(context, `an instance of ${value.constructor?.name || 'a class'}`)
}

function fields(value: Record<string, unknown>, context: Context): Shape {
  const names = Object.keys(value).filter(name => value[name] !== undefined)
  const labels = names.map(name => {
    const label = fieldText(name)
    if (label === undefined) {
      context.path.push(name)
      return refuse(context, `the field name ${JSON.stringify(name)}`)
    }
    return label
  })
  return {
    open: '{',
    items: names.map(name => value[name]),
    labels,
    close: '}',
    steps: index => names[index]!,
  }
}

function tagged(tag: string, body: () => unknown, context: Context): Shape {
  if (context.denyReserved && tag.startsWith('wat/')) {
    throw new WatError('denied', `the tag #${tag} is reserved, at ${pathText(context.path)}`, {
      data: { path: pathText(context.path) },
    })
  }
  try {
    return { open: tagText(tag), items: [body()], close: '', steps: () => `#${tag}` }
  } catch (cause) {
    return refuse(context, `under the tag ${JSON.stringify(tag)}`, cause)
  }
}

/** Throws `encode` for what is at the path. */
export function refuse(context: Context, what: string, cause?: unknown): never {
  const path = pathText(context.path)
  throw new WatError('encode', `EDN cannot carry ${what}, at ${path}`, {
    data: { path },
    ...(cause !== undefined && { cause }),
  })
}

// `$.a[3].b`. A deep path is cut in the middle: it is for people.
function pathText(path: (string | number)[]): string {
  const steps = path.map(step =>
    typeof step === 'number'
      ? `[${step}]`
      : /^[\w$-]+$/.test(step)
        ? `.${step}`
        : `[${JSON.stringify(step)}]`,
  )
  const shown =
    steps.length <= MAX_STEPS
      ? steps
      : [...steps.slice(0, MAX_STEPS / 2), '…', ...steps.slice(-MAX_STEPS / 2)]
  return '$' + shown.join('')
}

const MAX_STEPS = 100

const show = (key: unknown): string | number =>
  typeof key === 'string' || typeof key === 'number' ? key : key instanceof Keyword ? key.name : '(value)'
