import { FLOAT, isOver, MAX_NUMBER_DIGITS, MAX_RATIO_DIGITS } from './digits.ts'
import { formatInst } from './inst.ts'
import { isGenuine, Keyword } from './keyword.ts'
import { isSymbolText } from './names.ts'
import { adviceFor, referenceText } from './reference.ts'
import { type Context, refuse } from './refuse.ts'
import { tagWriter } from './tags.ts'
import { base64Text, charText, doubleText, numberText, stringText } from './text.ts'
import { Char, Decimal, Double, isCodePoint, isUuidText, Ratio, Sym, Uuid } from './values.ts'

/** The text of a value that has no others inside; `undefined` if it has. */
export function leafText(value: unknown, context: Context): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return numberText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return bigintText(value, context) + 'N'
    case 'object':
      return value === null ? 'nil' : objectText(value, context)
    case 'undefined':
      return 'nil'
    default:
      return refuse(context, `a ${typeof value}`, { advice: adviceFor(value) })
  }
}

// A program can change the fields of these objects, or make up one of their prototype: what is written is checked,
// and looked at once.
function objectText(value: object, context: Context): string | undefined {
  if (Array.isArray(value)) return undefined
  if (value instanceof Keyword) {
    return isGenuine(value) ? ':' + value.name : refuse(context, 'a keyword that kw() has not made')
  }
  if (value instanceof Sym) return checked(value.name, isSymbolText, 'a symbol', context)
  if (value instanceof Double) {
    const number: unknown = value.value
    return typeof number === 'number' ? doubleText(number) : refuse(context, 'a Double that holds no number')
  }
  if (value instanceof Char) return charText(checked(value.value, isCodePoint, 'a character', context))
  if (value instanceof Decimal) return checked(value.text, isDecimalText, 'a decimal', context) + 'M'
  if (value instanceof Ratio) return ratioText(value, context)
  if (value instanceof Uuid) return `#uuid "${checked(value.text, isUuidText, 'a uuid', context)}"`
  if (value instanceof Date) {
    return `#inst "${formatInst(value) ?? refuse(context, 'a date that #inst cannot say')}"`
  }
  if (value instanceof Uint8Array && tagWriter(value) === undefined) {
    return referenceText(value) ?? `#wat/bytes "${base64Text(value)}"`
  }
  if (value instanceof URL && tagWriter(value) === undefined) return urlText(value, context)
  return referenceText(value)
}

function bigintText(value: bigint, context: Context): string {
  if (isOver(value, MAX_NUMBER_DIGITS)) {
    refuse(context, `an integer of more than ${MAX_NUMBER_DIGITS} digits`)
  }
  return '' + value
}

function ratioText(value: Ratio, context: Context): string {
  const top: unknown = value.numerator
  const bottom: unknown = value.denominator
  if (typeof top !== 'bigint' || typeof bottom !== 'bigint' || bottom < 2n)
    refuse(context, 'what is no ratio')
  if (isOver(top, MAX_RATIO_DIGITS) || isOver(bottom, MAX_RATIO_DIGITS)) {
    refuse(context, `a ratio of more than ${MAX_RATIO_DIGITS} digits on a side`)
  }
  return `${top}/${bottom}`
}

function urlText(value: URL, context: Context): string {
  const href: unknown = value.href
  return typeof href === 'string' ? stringText(href) : refuse(context, 'a URL without href')
}

const isDecimalText = (text: string): boolean => text.length <= MAX_NUMBER_DIGITS && FLOAT.test(text)

function checked(text: unknown, isRight: (text: string) => boolean, what: string, context: Context): string {
  return typeof text === 'string' && isRight(text)
    ? text
    : refuse(context, `${what} whose text is none that EDN can read`)
}
