import { Keyword } from './keyword.ts'
import { layout } from './layout.ts'
import { leafText, refuse, shapeOf } from './shape.ts'
import { fieldText, numberText, stringText } from './text.ts'
import { List } from './values.ts'

/**
 * The value as EDN on one line. Throws a `WatError`: `encode` for what EDN cannot carry and, if `denyReserved`,
 * `denied` for a tag of the reserved namespace `wat`; `data.path` names the culprit.
 */
export function encode(value: unknown, denyReserved = true): string {
  try {
    if (!isPolluted()) return write(value, 0, denyReserved)
  } catch {
    // The fast way keeps no path. Going the slow way to the same culprit tells where it is.
  }
  return layout(value, { denyReserved, path: [] }, false)
}

// Calls are the fastest stack there is, but it ends; below this, `layout` goes on with one of its own, and looks
// for cycles, which all come by there.
const MAX_CALLS = 400

function write(value: unknown, depth: number, denyReserved: boolean): string {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return (value | 0) === value && value !== 0 ? '' + value : numberText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'nil'
      if (depth === MAX_CALLS) return layout(value, { denyReserved, path: [] }, false)
      if (Array.isArray(value)) {
        return value instanceof List
          ? '(' + writeItems(value, depth, denyReserved) + ')'
          : '[' + writeItems(value, depth, denyReserved) + ']'
      }
      if (Object.getPrototypeOf(value) === Object.prototype)
        return writeFields(value as Fields, depth, denyReserved)
      if (value instanceof Keyword) return ':' + value.name
      return writeOther(value, depth, denyReserved)
    default:
      return leafText(value, { denyReserved, path: [] })!
  }
}

type Fields = Record<string, unknown>

function writeItems(items: readonly unknown[], depth: number, denyReserved: boolean): string {
  if (items.length === 0) return ''
  let text = write(items[0], depth + 1, denyReserved)
  for (let i = 1; i < items.length; i++) text += ' ' + write(items[i], depth + 1, denyReserved)
  return text
}

// `for in` knows where the fields are, `Object.keys` does not; inherited ones were ruled out by `isPolluted`.
function writeFields(object: Fields, depth: number, denyReserved: boolean): string {
  let text = '{'
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    const label = fieldText(name) ?? refuse({ denyReserved, path: [name] }, 'the field name')
    text += (text === '{' ? label : ' ' + label) + write(value, depth + 1, denyReserved)
  }
  return text + '}'
}

function writeOther(value: object, depth: number, denyReserved: boolean): string {
  const context = { denyReserved, path: [] }
  const leaf = leafText(value, context)
  if (leaf !== undefined) return leaf
  const { open, items, labels, close } = shapeOf(value, context)
  let text = open
  for (let i = 0; i < items.length; i++) {
    text +=
      (i === 0 ? '' : ' ') +
      (labels === undefined ? '' : labels[i]!) +
      write(items[i], depth + 1, denyReserved)
  }
  return text + close
}

function isPolluted(): boolean {
  for (const name in NOTHING) return name !== ''
  return false
}

const NOTHING = {}
