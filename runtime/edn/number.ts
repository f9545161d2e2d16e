import { FLOAT, isOver, MAX_NUMBER_DIGITS, MAX_RATIO_DIGITS } from './digits.ts'
import { Decimal, integer, Ratio } from './values.ts'

const INTEGER = /^([+-]?)(?:(0|[1-9]\d*)|0[xX]([\da-fA-F]+)|([1-9]\d?)[rR]([\da-zA-Z]+))(N)?$/
const RATIO = /^([+-]?)(0|[1-9]\d*)\/([1-9]\d*)$/

/** Sign, radix and suffix, and some room. */
const MOST_BESIDES_DIGITS = 8

/**
 * The number that the token stands for, by clojure.edn's rules, but that no digit may stand behind a first zero;
 * a text that says why it is none.
 */
export function parseNumber(token: string): number | bigint | Decimal | Ratio | string {
  if (token.length > MAX_NUMBER_DIGITS + MOST_BESIDES_DIGITS) return TOO_LONG
  const int = INTEGER.exec(token)
  if (int !== null) return parseInteger(int)
  if (token.endsWith('M')) {
    const text = token.slice(0, -1)
    if (!FLOAT.test(text)) return NO_NUMBER
    return text.length > MAX_NUMBER_DIGITS ? TOO_LONG : new Decimal(text)
  }
  if (FLOAT.test(token)) return Number(token)
  const ratio = RATIO.exec(token)
  if (ratio === null) return NO_NUMBER
  const [, sign, numerator, denominator] = ratio
  if (numerator!.length > MAX_RATIO_DIGITS || denominator!.length > MAX_RATIO_DIGITS) {
    return `a ratio of more than ${MAX_RATIO_DIGITS} digits on a side`
  }
  return Ratio.of(signed(sign!, BigInt(numerator!)), BigInt(denominator!))
}

const NO_NUMBER = 'not a number'
const TOO_LONG = `a number of more than ${MAX_NUMBER_DIGITS} digits`

function parseInteger([, sign, decimal, hex, radix, digits, big]: RegExpExecArray) {
  const size =
    decimal !== undefined
      ? BigInt(decimal)
      : hex !== undefined
        ? BigInt('0x' + hex)
        : inRadix(digits!.toLowerCase(), Number(radix))
  if (size === undefined) return NO_NUMBER
  if (isOver(size, MAX_NUMBER_DIGITS)) return TOO_LONG
  const value = signed(sign!, size)
  return big === undefined ? integer(value) : value
}

function inRadix(digits: string, radix: number): bigint | undefined {
  if (radix < 2 || radix > 36) return undefined
  for (let i = 0; i < digits.length; i++) {
    const unit = digits.charCodeAt(i)
    if ((unit < 58 ? unit - 48 : unit - 87) >= radix) return undefined
  }
  // As many digits as a number holds exactly, from the end.
  const width = Math.floor(53 / Math.log2(radix))
  const parts: bigint[] = []
  for (let end = digits.length; end > 0; end -= width) {
    parts.unshift(BigInt(parseInt(digits.slice(Math.max(0, end - width), end), radix)))
  }
  return combine(parts, BigInt(radix) ** BigInt(width))
}

// Halves rather than digit by digit: the latter takes time quadratic in the length.
function combine(parts: bigint[], radix: bigint): bigint {
  for (let base = radix; parts.length > 1; base *= base) {
    const odd = parts.length % 2
    const next = odd === 1 ? [parts[0]!] : []
    for (let i = odd; i < parts.length; i += 2) next.push(parts[i]! * base + parts[i + 1]!)
    parts = next
  }
  return parts[0]!
}

const signed = (sign: string, size: bigint): bigint => (sign === '-' ? -size : size)
