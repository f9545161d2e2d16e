import { WatError } from '../error.ts'
import { describe } from './describe.ts'
import { FLOAT } from './digits.ts'
import { gcd } from './gcd.ts'
import { isSymbolText } from './names.ts'

/** An EDN symbol. */
export class Sym {
  /** The whole name: `a/b`. */
  readonly name: string

  constructor(name: string) {
    if (typeof name !== 'string' || !isSymbolText(name)) refuse('the name of a symbol', name)
    this.name = name
    Object.freeze(this) // the reader gives the same object again
  }

  /** Its name. */
  toString(): string {
    return this.name
  }
}

/** An EDN character: one code point. */
export class Char {
  /** The code point as a string of one or two units. */
  readonly value: string

  constructor(value: string) {
    if (typeof value !== 'string' || !isCodePoint(value)) refuse('one code point', value)
    this.value = value
  }

  /** The character itself. */
  toString(): string {
    return this.value
  }
}

const REDUCED = Symbol('in lowest terms')

/** An exact fraction in lowest terms with a denominator above one. `Ratio.of` normalises. */
export class Ratio {
  /** With the sign. */
  readonly numerator: bigint
  /** At least two. */
  readonly denominator: bigint

  constructor(numerator: bigint, denominator: bigint)
  /** @internal `REDUCED`: they are in lowest terms. */
  constructor(numerator: bigint, denominator: bigint, reduced: typeof REDUCED)
  constructor(numerator: bigint, denominator: bigint, reduced?: typeof REDUCED) {
    const { top, bottom } =
      reduced === REDUCED
        ? { top: numerator, bottom: denominator }
        : lowest(BigInt(numerator), BigInt(denominator))
    if (bottom < 2n) refuse('a ratio', 'a whole number')
    this.numerator = top
    this.denominator = bottom
  }

  /** The quotient: a `Ratio`, or an integer when it is whole. */
  static of(numerator: bigint, denominator: bigint): Ratio | number | bigint {
    const { top, bottom } = lowest(numerator, denominator)
    return bottom === 1n ? integer(top) : new Ratio(top, bottom, REDUCED)
  }

  /** As in EDN: `1/2`. */
  toString(): string {
    return `${this.numerator}/${this.denominator}`
  }
}

/** An exact decimal: its text is kept as written, without the `M`. */
export class Decimal {
  /** As written, without the `M`. */
  readonly text: string

  constructor(text: string) {
    if (typeof text !== 'string' || !FLOAT.test(text)) refuse('a decimal', text)
    this.text = text
  }

  /** As in EDN, without the `M`. */
  toString(): string {
    return this.text
  }
}

/** A number to be written as a float even where it is whole: `1.0`. Reads back as a plain number. */
export class Double {
  /** The plain number. */
  readonly value: number

  constructor(value: number) {
    if (typeof value !== 'number') refuse('a number', value)
    this.value = value
  }

  /** So that it counts as a number in arithmetic. */
  valueOf(): number {
    return this.value
  }
}

/** A UUID. */
export class Uuid {
  /** In lower case, with hyphens. */
  readonly text: string

  constructor(text: string) {
    const lower = typeof text === 'string' ? text.toLowerCase() : ''
    if (!isUuidText(lower)) refuse('a uuid', text)
    this.text = lower
  }

  /** As in EDN, without `#uuid` and quotes. */
  toString(): string {
    return this.text
  }
}

/** An EDN list `(…)`: an array in all but the brackets it is written in. */
export class List<T = unknown> extends Array<T> {
  /** What `map`, `filter` and the like make of a list is a plain array. */
  static override get [Symbol.species]() {
    return Array
  }
}

/** A value under a tag that nobody has registered: `#my/tag value`. */
export class Tagged<T = unknown> {
  /** Without the `#`. */
  readonly tag: string
  /** What stands behind the tag. */
  readonly value: T

  constructor(tag: string, value: T) {
    this.tag = tag
    this.value = value
  }
}

/** Whether the text is one code point, and one that UTF-8 has. */
export function isCodePoint(text: string): boolean {
  const units = text.length
  return units > 0 && units === (text.codePointAt(0)! > 0xffff ? 2 : 1) && text.isWellFormed()
}

/** Whether the text is a UUID as we keep it. */
export function isUuidText(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)
}

/** A number where it is exact, else the bigint. */
export function integer(value: bigint): number | bigint {
  return value >= -MAX_SAFE && value <= MAX_SAFE ? Number(value) : value
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

function lowest(numerator: bigint, denominator: bigint) {
  if (denominator === 0n) refuse('a ratio', 'a division by zero')
  const [top, bottom] = denominator < 0n ? [-numerator, -denominator] : [numerator, denominator]
  const common = gcd(top < 0n ? -top : top, bottom)
  return common === 1n ? { top, bottom } : { top: top / common, bottom: bottom / common }
}

function refuse(what: string, value: unknown): never {
  throw new WatError('encode', `not ${what}: ${describe(value)}`)
}
