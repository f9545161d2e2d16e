/** What a unit stands for behind a backslash; 0 where that is not one unit. */
export const ESCAPED = new Uint8Array(65_536)
for (const [letter, unit] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, '\\': 92 }))
  ESCAPED[letter.charCodeAt(0)] = unit

/** What stands closer together, and there is more than a little of it, takes longer to search for than to look at. */
const APART_UNITS = 32
const SOME = 16
/** Behind so many an error is not what costs. */
const FEW_UNITS = 16 * 1024

/** Where the first quote or backslash from `from` on stands, or `end`. */
export function plainEnd(text: string, from: number, end: number): number {
  const quote = text.indexOf('"', from)
  const limit = quote === -1 ? end : Math.min(quote, end)
  const backslash = text.slice(from, limit).indexOf('\\')
  return backslash === -1 ? limit : from + backslash
}

/** Where the quote stands that closes the string, or `end`; -1: there are too many that do not. */
export function closingQuote(text: string, from: number, end: number): number {
  let quotes = 0
  for (let at = text.indexOf('"', from); at !== -1 && at < end; at = text.indexOf('"', at + 1)) {
    if (!isEscaped(text, from, at)) return at
    if (++quotes > SOME + (at - from) / APART_UNITS) return -1
  }
  return end
}

/** The last quote of a long text, if it is near the end: mostly it closes a string that is long. Otherwise -1. */
export function quoteAtEnd(text: string): number {
  const at = text.slice(-GUESSED_UNITS).lastIndexOf('"')
  return at === -1 ? -1 : text.length - GUESSED_UNITS + at
}

const GUESSED_UNITS = 64

/** Where an escape stands that goes on behind `end`, as far as four digits need, or `end`. */
export function endOfEscapes(text: string, from: number, end: number): number {
  for (let at = end - 1; at >= from && at >= end - LONGEST_ESCAPE + 1; at--) {
    if (text.charCodeAt(at) !== BACKSLASH) continue
    return isEscaped(text, from, at) ? end : at
  }
  return end
}

/**
 * What the inside of a string stands for; `undefined`: V8's JSON cannot tell. `unsure`: there may be quotes in it that
 * close it, and so it is none.
 */
export function unescaped(text: string, from: number, to: number, unsure: boolean): string | undefined {
  const inside = text.slice(from, to)
  if (!inside.includes('\\')) return unsure && inside.includes('"') ? undefined : inside
  // Ours may hold line breaks, tabs and more of the kind: to look for them costs less than an error.
  if (inside.length < FEW_UNITS && (inside.includes('\n') || inside.includes('\t'))) return undefined
  // JSON's may have a backslash before a slash.
  if (hasSolidus(inside)) return undefined
  const quoted = text.charCodeAt(from - 1) === QUOTE && text.charCodeAt(to) === QUOTE
  try {
    return JSON.parse(quoted ? text.slice(from - 1, to + 1) : `"${inside}"`) as string
  } catch {
    return undefined
  }
}

function hasSolidus(inside: string): boolean {
  // Slashes are mostly fewer than backslashes, and sought one by one.
  let at = inside.indexOf('/')
  for (let slashes = 0; at !== -1 && slashes < SOME + at / APART_UNITS; slashes++) {
    if (isEscaped(inside, 0, at)) return true
    at = inside.indexOf('/', at + 1)
  }
  if (at === -1) return false
  for (at = inside.indexOf('\\/', at - 1); at !== -1; at = inside.indexOf('\\/', at + 2)) {
    if (isEscaped(inside, 0, at + 1)) return true
  }
  return false
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, from: number, at: number): boolean {
  let first = at
  while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--
  return ((at - first) & 1) === 1
}

/** What four hexadecimal digits stand for; negative: they are none. */
export function fourDigits(units: Uint16Array, at: number): number {
  // The -1 of one that is none makes all of it negative.
  return (
    (hex(units[at]!) << 12) | (hex(units[at + 1]!) << 8) | (hex(units[at + 2]!) << 4) | hex(units[at + 3]!)
  )
}

/** What a digit stands for; -1: it is none. */
export function hex(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  const lower = unit | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const QUOTE = 34
const BACKSLASH = 92
const LONGEST_ESCAPE = 6
