import { WatError } from '../error.ts'
import { describe } from './describe.ts'
import { intern, isKeywordText } from './names.ts'

/** The keyword `:text`. Equal keywords are the same object. */
export function kw(text: string): Keyword {
  const known = table.get(text)?.deref()
  if (known !== undefined) return known
  if (typeof text !== 'string' || !isKeywordText(text)) {
    throw new WatError('encode', `not the name of a keyword: ${describe(text)}`)
  }
  return internKeyword(text)
}

/** As `kw`, for a text already known to be a keyword's. */
export function internKeyword(name: string): Keyword {
  const known = table.get(name)?.deref()
  if (known !== undefined) return known
  const text = intern(name)
  const keyword = new Keyword(text, OURS)
  table.set(text, new WeakRef(keyword))
  gone.register(keyword, text)
  return keyword
}

const OURS = Symbol('kw')

/** Whether `kw` made it: not what only has the prototype. Then its name is that of a keyword. */
export let isGenuine: (keyword: Keyword) => boolean

/** An EDN keyword, made by `kw`. Equal keywords are the same object. */
export class Keyword {
  /** The whole name without the colon: `a/b`. */
  readonly name: string
  readonly #genuine = true

  constructor(name: string, token: typeof OURS) {
    if (token !== OURS) throw new WatError('encode', 'keywords are made by kw()')
    this.name = name
    Object.freeze(this) // it is the same object for all who use it
  }

  static {
    isGenuine = keyword => #genuine in keyword && keyword.#genuine
  }

  /** As in EDN: `:a/b`. */
  toString(): string {
    return ':' + this.name
  }
}

// Weak on purpose: keywords come from input, and input must not grow a table without bound.
const table = new Map<string, WeakRef<Keyword>>()
const gone = new FinalizationRegistry<string>(text => {
  if (table.get(text)?.deref() === undefined) table.delete(text)
})

/** How many keywords are alive, or not yet swept. For tests. */
export const keywordCount = (): number => table.size
