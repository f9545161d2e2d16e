import { CLASS, ENDS, TERMINATOR } from './chars.ts'

/** What clojure.edn takes for a keyword (with its colon) or a symbol. */
const NAME = /^:?(?:[^\d/][^]*\/)?(?:\/|[^\d/][^/]*)$/
const INVALID_CONSTITUENT = /[@`~]/

/** Whether `:text` reads as one keyword. */
export function isKeywordText(text: string): boolean {
  return !TERMINATOR.test(text) && isName(':' + text)
}

/** Whether `text` reads as one symbol. */
export function isSymbolText(text: string): boolean {
  if (text === 'nil' || text === 'true' || text === 'false') return false
  const first = text.charCodeAt(0)
  if (first === 58 /* : */ || first === 35 /* # */) return false
  if ((first === 43 || first === 45) && isDigit(text.charCodeAt(1))) return false
  return !TERMINATOR.test(text) && isName(text)
}

/** Whether `#text` reads as a tag. */
export function isTagText(text: string): boolean {
  return /^\p{L}/u.test(text) && isSymbolText(text)
}

/** `text` is one token without terminators; is it a keyword or a symbol by clojure.edn's rules? */
export function isName(text: string): boolean {
  if (!NAME.test(text) || INVALID_CONSTITUENT.test(text) || !text.isWellFormed()) return false
  // A colon may end neither namespace nor name, nor stand doubled; but `:/` is the keyword called `/`.
  return text === ':/' || !(text.endsWith(':') || text.includes(':/') || text.includes('::'))
}

/** Whether all units are such that no rule is about them: then the token is a name if its first is no digit. */
export function isSimpleName(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (SIMPLE[text.charCodeAt(i)] !== 1) return false
  return text !== ''
}

const SIMPLE = new Uint8Array(128)
for (const unit of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*+!?$%&=<>') {
  SIMPLE[unit.charCodeAt(0)] = 1
}

export const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57

/** The end of the atom that starts at `from`, at most `end`. */
export function atomEnd(text: string, from: number, end: number): number {
  let at = from
  while (at < end && CLASS[text.charCodeAt(at)]! < ENDS) at++
  return at
}

/** The string as V8's internalised copy: it keeps no larger text alive and compares by pointer. */
export function intern(text: string): string {
  // An object without a shape of its own: shapes are shared, and a name each would litter the table of them.
  const box = Object.create(null) as Record<string, number>
  box[text] = 0
  for (const key in box) return key
  return text
}
