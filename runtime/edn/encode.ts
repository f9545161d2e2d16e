import { layout } from './layout.ts'
import { Keyword } from './keyword.ts'
import { type Context, leafText, refuse, shapeOf } from './shape.ts'
import { fieldText, numberText, stringText } from './text.ts'
import { List } from './values.ts'

/**
 * The value as EDN on one line. Throws a `WatError`: `encode` for what EDN cannot carry and, if `denyReserved`,
 * `denied` for a tag of the reserved namespace `wat`; `data.path` names the culprit.
 */
export function encode(value: unknown, denyReserved = true): string {
  const context: Context = { denyReserved, path: [] }
  return write(value, 0, context)
}

// Calls are the fastest stack there is, but it ends; below this, `layout` goes on with one of its own, and looks
// for cycles, which all come by there.
const MAX_CALLS = 400

function write(value: unknown, depth: number, context: Context): string {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return (value | 0) === value && value !== 0 ? '' + value : numberText(value)
    case 'object':
      if (value === null) return 'nil'
      if (value instanceof Keyword) return ':' + value.name
      return depth === MAX_CALLS ? layout(value, context, false) : writeObject(value, depth, context)
    default:
      return leafText(value, context)!
  }
}

function writeObject(value: object, depth: number, context: Context): string {
  if (Array.isArray(value)) {
    return value instanceof List
      ? '(' + writeItems(value, depth, context) + ')'
      : '[' + writeItems(value, depth, context) + ']'
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return writeFields(value as Record<string, unknown>, depth, context)
  }
  const leaf = leafText(value, context)
  if (leaf !== undefined) return leaf
  const { open, items, labels, close, steps } = shapeOf(value, context)
  let text = open
  for (let i = 0; i < items.length; i++) {
    context.path[depth] = steps(i)
    text +=
      (i === 0 ? '' : ' ') + (labels === undefined ? '' : labels[i]!) + write(items[i], depth + 1, context)
  }
  context.path.length = depth
  return text + close
}

function writeItems(items: readonly unknown[], depth: number, context: Context): string {
  let text = ''
  const { path } = context
  for (let i = 0; i < items.length; i++) {
    path[depth] = i
    text += i === 0 ? write(items[i], depth + 1, context) : ' ' + write(items[i], depth + 1, context)
  }
  path.length = depth
  return text
}

function writeFields(object: Record<string, unknown>, depth: number, context: Context): string {
  let text = '{'
  const { path } = context
  for (const name of Object.keys(object)) {
    const value = object[name]
    if (value === undefined) continue
    path[depth] = name
    const label = fieldText(name) ?? refuse(context, `the field name ${JSON.stringify(name)}`)
    text += text.length === 1 ? label : ' ' + label
    text += write(value, depth + 1, context)
  }
  path.length = depth
  return text + '}'
}
