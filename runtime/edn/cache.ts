import { isMapNamespace } from './atoms.ts'
import { internKeyword, type Keyword } from './keyword.ts'
import { intern, isName, isSimpleName, isSymbolText } from './names.ts'
import { Sym } from './values.ts'

// Direct-mapped and of fixed size: a hit costs no allocation, a miss replaces, input cannot grow it.
// The hash is the reader's, computed while it scans; equal hashes cost a miss, nothing more.
const SLOTS = 4096
const MAX_COPIED_UNITS = 12
/** A longer name is not kept: it may be a view of a whole text. */
export const MAX_NAME_UNITS = 64

const keywordTexts: string[] = new Array<string>(SLOTS).fill('')
const keywords: (Keyword | undefined)[] = new Array<undefined>(SLOTS).fill(undefined)
const symbolTexts: string[] = new Array<string>(SLOTS).fill('')
const symbols: (Sym | null | boolean)[] = new Array<null>(SLOTS).fill(null)

/** The name of the keyword whose text without colon is at [start, end), `''` if that is none. */
export function keywordText(
  text: string,
  units: Uint16Array,
  start: number,
  end: number,
  hash: number,
): string {
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1)
  const known = keywordTexts[slot]!
  if (same(known, units, start, end)) return known
  let name = text.slice(start, end)
  if (!isSimpleName(name) && !isName(':' + name)) return ''
  if (name.length > MAX_NAME_UNITS) return name
  // V8 makes a longer slice a view of the whole text, which must not stay alive for a name.
  if (name.length > MAX_COPIED_UNITS) name = intern(name)
  keywordTexts[slot] = name
  keywords[slot] = undefined
  return name
}

/** The keyword of a name that `keywordText` gave for this hash. */
export function keyword(name: string, hash: number): Keyword {
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1)
  if (keywordTexts[slot] !== name) return internKeyword(name)
  return (keywords[slot] ??= internKeyword(name))
}

/** The symbol at [start, end), or what `nil`, `true` and `false` stand for; `undefined` if it is none. */
export function symbol(
  text: string,
  units: Uint16Array,
  start: number,
  end: number,
  hash: number,
): Sym | null | boolean | undefined {
  const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1)
  const known = symbolTexts[slot]!
  if (known !== '' && same(known, units, start, end)) return symbols[slot]
  const name = text.slice(start, end)
  const value = interpret(name)
  if (value !== undefined && name.length <= MAX_NAME_UNITS) {
    symbolTexts[slot] = value instanceof Sym ? value.name : intern(name)
    symbols[slot] = value
  }
  return value
}

/** The tag whose name is at [start, end); `undefined` if it is none. `:ns` stands for the prefix of a map. */
export function tagName(
  text: string,
  units: Uint16Array,
  start: number,
  end: number,
  hash: number,
): string | undefined {
  if (units[start] === COLON) {
    return isMapNamespace(text.slice(start + 1, end)) ? text.slice(start, end) : undefined
  }
  const name = symbol(text, units, start, end, hash)
  if (!(name instanceof Sym)) return undefined
  const first = name.name.charCodeAt(0) | 32
  return (first >= 97 && first <= 122) || /^\p{L}/u.test(name.name) ? name.name : undefined
}

const COLON = 58

function interpret(name: string): Sym | null | boolean | undefined {
  if (name === 'nil') return null
  if (name === 'true') return true
  if (name === 'false') return false
  return isSymbolText(name) ? new Sym(intern(name)) : undefined
}

function same(known: string, units: Uint16Array, start: number, end: number): boolean {
  const length = end - start
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known.charCodeAt(i) !== units[start + i]) return false
  return true
}
