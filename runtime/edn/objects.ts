import { WatError } from '../error.ts'
import { EdnMap } from './collections.ts'
import { Keyword, kw } from './keyword.ts'
import { Sym } from './values.ts'

/** `object[key] = value`, also for `__proto__`. */
export function setOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** The object as a map: its fields are keywords. */
export function toMap(object: Record<string, unknown>): EdnMap {
  const map = new EdnMap()
  for (const key of Object.keys(object)) map.set(kw(key), object[key])
  return map
}

/** Whether the value is a map with nothing but keywords as keys, as it is read. */
export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** What `#wat/object` means: the fields of an object by their names; `undefined` if it cannot stand before the value. */
export function toObject(value: unknown): object | undefined {
  const object: Record<string, unknown> = {}
  if (!(value instanceof Map)) return isFields(value) && Object.keys(value).length === 0 ? object : undefined
  for (const [name, item] of value) {
    if (typeof name !== 'string') return undefined
    if (name === '__proto__') setOwn(object, name, item)
    else object[name] = item
  }
  return object
}

/** What `#:namespace {…}` means: keywords and symbols among the keys get the namespace, `_/name` loses it. */
export function qualify(namespace: string, value: unknown): unknown {
  if (value instanceof EdnMap) {
    const map = new EdnMap()
    for (const [key, item] of value) {
      map.set(
        key instanceof Keyword ? kw(within(key.name)) : key instanceof Sym ? new Sym(within(key.name)) : key,
        item,
      )
    }
    if (map.size !== value.size) throw new WatError('malformed', 'duplicate key')
    return map
  }
  if (!isFields(value)) {
    throw new WatError('malformed', 'a namespace stands before a map')
  }
  const object = {}
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(object, within(key))) throw new WatError('malformed', 'duplicate key')
    setOwn(object, within(key), item)
  }
  return object

  function within(text: string): string {
    if (text.startsWith('_/')) return text.slice(2)
    return text.includes('/') ? text : `${namespace}/${text}`
  }
}
