import { Keyword } from './keyword.ts'
import { layout } from './layout.ts'
import { leafText, refuse, shapeOf } from './shape.ts'
import { fieldLabel, numberText, stringText } from './text.ts'
import { List } from './values.ts'

/**
 * The value as EDN on one line. Throws a `WatError`: `encode` for what EDN cannot carry and, if `denyReserved`,
 * `denied` for a tag of the reserved namespace `wat`; `data.path` names the culprit.
 */
export function encode(value: unknown, denyReserved = true): string {
  return encodeOnto('', value, denyReserved)
}

/** `text` with the value behind it. */
export function encodeOnto(text: string, value: unknown, denyReserved = true): string {
  try {
    if (!isPolluted()) return append(text, value, 0, denyReserved)
  } catch {
    // The fast way keeps no path. Going the slow way to the same culprit tells where it is.
  }
  return text + layout(value, { denyReserved, path: [] }, false)
}

// Calls are the fastest stack there is, but it ends; below this, `layout` goes on with one of its own, and looks
// for cycles, which all come by there.
const MAX_CALLS = 400

// All of it hangs on one text, because every concatenation costs about as much as writing ten characters.
function append(text: string, value: unknown, depth: number, denyReserved: boolean): string {
  switch (typeof value) {
    case 'string':
      return text + stringText(value)
    case 'number':
      return text + ((value | 0) === value && value !== 0 ? value : numberText(value))
    case 'boolean':
      return text + (value ? 'true' : 'false')
    case 'object':
      if (value === null) return text + 'nil'
      if (depth === MAX_CALLS) return text + layout(value, { denyReserved, path: [] }, false)
      if (Array.isArray(value)) {
        return value instanceof List
          ? appendItems(text + '(', value, depth, denyReserved) + ')'
          : appendItems(text + '[', value, depth, denyReserved) + ']'
      }
      if (Object.getPrototypeOf(value) === Object.prototype)
        return appendFields(text, value as Fields, depth, denyReserved)
      if (value instanceof Keyword) return text + ':' + value.name
      return appendOther(text, value, depth, denyReserved)
    default:
      return text + leafText(value, { denyReserved, path: [] })!
  }
}

type Fields = Record<string, unknown>

function appendItems(text: string, items: readonly unknown[], depth: number, denyReserved: boolean): string {
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ' '
    text = append(text, items[i], depth + 1, denyReserved)
  }
  return text
}

// `for in` knows where the fields are, `Object.keys` does not; inherited ones were ruled out by `isPolluted`.
function appendFields(text: string, object: Fields, depth: number, denyReserved: boolean): string {
  let first = true
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    const label = fieldLabel(name) ?? refuse({ denyReserved, path: [name] }, 'the field name')
    text = append(text + (first ? label.first : label.next), value, depth + 1, denyReserved)
    first = false
  }
  return first ? text + '{}' : text + '}'
}

function appendOther(text: string, value: object, depth: number, denyReserved: boolean): string {
  const context = { denyReserved, path: [] }
  const leaf = leafText(value, context)
  if (leaf !== undefined) return text + leaf
  const { open, items, labels, close } = shapeOf(value, context)
  text += open
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ' '
    if (labels !== undefined) text += labels[i]!
    text = append(text, items[i], depth + 1, denyReserved)
  }
  return text + close
}

function isPolluted(): boolean {
  for (const name in NOTHING) return name !== ''
  return false
}

const NOTHING = {}
