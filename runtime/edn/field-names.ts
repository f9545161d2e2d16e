import { MAX_NAME_UNITS } from './cache.ts'
import { setOwn } from './objects.ts'

/** A map with more fields than that, or longer names, is read field by field. */
const MAX_FIELDS = 32
/** Bounded: the names come from input. To start afresh is cheaper than to choose what goes. */
const MAX_KNOWN = 4096
/** So many maps with the same fields, and it pays to have a function that makes them. */
const MANY = 16

type Make = (values: readonly unknown[], from: number) => object

/**
 * The names of a map's first fields, in their order. Maps come in kinds: the next name is mostly the one that
 * came the last time, and a function that makes an object with just these fields is several times as fast as
 * one that adds them, and the object half as large.
 */
export class FieldNames {
  /** The field that came next the last time. */
  likely: FieldNames | undefined
  /** The UTF-16 units of the last name. */
  readonly codes: Uint16Array
  readonly #name: string
  readonly #before: FieldNames | undefined
  readonly #count: number
  #following: Map<string, FieldNames> | undefined
  #names: string[] | undefined
  #uses = 0
  #make: Make | undefined

  constructor(name: string, before: FieldNames | undefined) {
    this.#name = name
    this.codes = Uint16Array.from({ length: name.length }, (_, i) => name.charCodeAt(i))
    this.#before = before
    this.#count = before === undefined ? 0 : before.#count + 1
  }

  /** These and one more. `'duplicate'` if it is among them; `undefined` if there are too many, or it is too long. */
  with(name: string): FieldNames | 'duplicate' | undefined {
    const known = this.#following?.get(name)
    if (known !== undefined) return (this.likely = known)
    if (this.#has(name)) return 'duplicate'
    if (this.#count === MAX_FIELDS || name.length > MAX_NAME_UNITS) return undefined
    if (++made > MAX_KNOWN) forget()
    const more = new FieldNames(name, this)
    ;(this.#following ??= new Map()).set(name, more)
    return (this.likely = more)
  }

  /** The object with these fields; their values begin at `from`. */
  object(values: readonly unknown[], from: number): object {
    if (this.#make !== undefined) return this.#make(values, from)
    const names = (this.#names ??= this.#all())
    if (++this.#uses === MANY) this.#make = maker(names)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      if (name === '__proto__') setOwn(object, name, values[from + i])
      else object[name] = values[from + i]
    }
    return object
  }

  forget(): void {
    this.#following = this.likely = undefined
  }

  #has(name: string): boolean {
    return this.#before !== undefined && (this.#name === name || this.#before.#has(name))
  }

  #all(): string[] {
    return this.#before === undefined ? [] : [...this.#before.#all(), this.#name]
  }
}

/** What every map begins with. */
export const NO_FIELDS = new FieldNames('', undefined)

let made = 0

function forget(): void {
  made = 0
  NO_FIELDS.forget()
}

function maker(names: string[]): Make | undefined {
  if (names.includes('__proto__')) return undefined
  const fields = names.map((name, i) => `${JSON.stringify(name)}: values[from + ${i}]`)
  try {
    // eslint-disable-next-line typescript/no-implied-eval -- the names are quoted
    return new Function('values', 'from', `return { ${fields.join(', ')} }`) as Make
  } catch {
    return undefined // Node was told to make no code of strings
  }
}

/** The values from `from` to `to`, in an array of its own. */
export function items(values: readonly unknown[], from: number, to: number): unknown[] {
  switch (to - from) {
    case 0:
      return []
    case 1:
      return [values[from]]
    case 2:
      return [values[from], values[from + 1]]
    case 3:
      return [values[from], values[from + 1], values[from + 2]]
  }
  if (typeof values[from] !== 'number') return values.slice(from, to)
  // V8 keeps numbers themselves in an array that has seen nothing else.
  const numbers: unknown[] = []
  for (let i = from; i < to; i++) numbers.push(values[i])
  return numbers
}
