/** The class of every UTF-16 unit: what it begins as the first unit of a token. */
export const CLASS = new Uint8Array(65536)

/** Set in a class when the unit also ends an atom that stands before it. */
export const ENDS = 0x80

export const SYMBOL = 0
export const SPACE = 1
export const COMMENT = 2
export const STRING = 3
export const KEYWORD = 4
export const DIGIT = 5
export const SIGN = 6
export const LIST = 7
export const VECTOR = 8
export const MAP = 9
export const CLOSE = 10
export const HASH = 11
export const CHAR = 12
export const META = 13

const put = (cls: number, units: string) => {
  for (const unit of units) CLASS[unit.charCodeAt(0)] = cls
}

// Java's Character.isWhitespace, which clojure.edn goes by, and the comma. NBSP is not among them.
const WHITESPACE =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f ,\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a' +
  '\u2028\u2029\u205f\u3000'

put(SPACE | ENDS, WHITESPACE)
put(COMMENT | ENDS, ';')
put(STRING | ENDS, '"')
put(KEYWORD, ':')
put(DIGIT, '0123456789')
put(SIGN, '+-')
put(LIST | ENDS, '(')
put(VECTOR | ENDS, '[')
put(MAP | ENDS, '{')
put(CLOSE | ENDS, ')]}')
put(HASH, '#')
put(CHAR | ENDS, '\\')
put(META | ENDS, '^')

/** Finds a unit that ends an atom; the same set as `ENDS`. */
export const TERMINATOR = new RegExp(`[${WHITESPACE};"()[\\]{}\\\\^]`)
