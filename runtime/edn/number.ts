import { Decimal, integer, Ratio } from './values.ts'

const INTEGER = /^([+-]?)(?:(0|[1-9]\d*)|0[xX]([\da-fA-F]+)|0([0-7]+)|([1-9]\d?)[rR]([\da-zA-Z]+))(N)?$/
const FLOAT = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/
const RATIO = /^([+-]?\d+)\/(\d+)$/

// Some 3.3 bits a digit, and V8 stops at 2^30 bits; far below that, work stays bounded.
const MAX_DIGITS = 100_000_000

/** The number that the token stands for, by clojure.edn's rules; `undefined` if it is none. */
export function parseNumber(token: string): number | bigint | Decimal | Ratio | undefined {
  // More digits than a bigint can have.
  if (token.length > MAX_DIGITS) return undefined
  const int = INTEGER.exec(token)
  if (int !== null) return parseInteger(int)
  if (token.endsWith('M')) {
    const text = token.slice(0, -1)
    return FLOAT.test(text) ? new Decimal(text) : undefined
  }
  if (FLOAT.test(token)) return Number(token)
  const ratio = RATIO.exec(token)
  if (ratio === null) return undefined
  const denominator = BigInt(ratio[2]!)
  return denominator === 0n ? undefined : Ratio.of(signed(ratio[1]!), denominator)
}

function parseInteger([, sign, decimal, hex, octal, radix, digits, big]: RegExpExecArray) {
  let value: bigint | undefined
  if (decimal !== undefined) value = BigInt(decimal)
  else if (hex !== undefined) value = BigInt('0x' + hex)
  else if (octal !== undefined) value = BigInt('0o' + octal)
  else value = inRadix(digits!, Number(radix))
  if (value === undefined) return undefined
  if (sign === '-') value = -value
  return big === undefined ? integer(value) : value
}

function inRadix(digits: string, radix: number): bigint | undefined {
  if (radix < 2 || radix > 36) return undefined
  const values = Array.from(digits, digit => parseInt(digit, 36))
  if (values.some(value => value >= radix)) return undefined
  return combine(values, BigInt(radix))
}

// Halves rather than digit by digit: the latter takes time quadratic in the length.
function combine(values: number[], radix: bigint): bigint {
  let parts = values.map(BigInt)
  for (let base = radix; parts.length > 1; base *= base) {
    const odd = parts.length % 2
    const next = odd === 1 ? [parts[0]!] : []
    for (let i = odd; i < parts.length; i += 2) next.push(parts[i]! * base + parts[i + 1]!)
    parts = next
  }
  return parts[0]!
}

const signed = (text: string): bigint => (text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text))
