import fc from 'fast-check'
import {
  Char,
  Decimal,
  Double,
  EdnMap,
  EdnSet,
  kw,
  List,
  Ratio,
  Sym,
  Tagged,
  Uuid,
} from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'
import { isKeywordText, isSymbolText, isTagText } from '../../runtime/edn/names.ts'

const NASTY = [
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'a',
  'b',
  '1',
  '1a',
  '/',
  'a/b',
]
const units = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
const broken = fc.array(
  fc.constantFrom('\ud800', '\udfff', '"', '\\', '\n', '\r', '\u2028', '\0', '\0s\0', 'é', '😀'),
)

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  broken.map(parts => parts.join('')),
  fc.constantFrom(...NASTY),
)
const keywordText = fc.oneof(fc.constantFrom(...NASTY), units.filter(isKeywordText))
const symbolText = fc.oneof(fc.constantFrom(...NASTY).filter(isSymbolText), units.filter(isSymbolText))
const tagName = fc.oneof(
  fc.constantFrom('my/tag', 'constructor', 'λ', 'my/__proto__'),
  units.filter(isTagText),
)

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, NaN, 1e21, 2 ** 60),
)
const atom: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false),
  text,
  number,
  fc.bigInt(),
  keywordText.map(kw),
  symbolText.map(name => new Sym(name)),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map(char => new Char(char)),
  fc.tuple(fc.bigInt(), fc.bigInt({ min: 2n })).map(([a, b]) => Ratio.of(a, b) as unknown),
  fc.tuple(fc.integer(), fc.nat(), fc.integer()).map(([a, b, c]) => new Decimal(`${a}.${b}E${c}`)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => new Double(value)),
  fc.uuid().map(id => new Uuid(id)),
  fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  }),
  fc.uint8Array(),
)

/** Any value that EDN can carry. */
export const value: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>(tie => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.array(tie('any')),
    fc.array(tie('any')).map(items => {
      const list = new List()
      list.push(...items)
      return list
    }),
    fc.array(fc.tuple(keywordText, tie('any'))).map(entries => Object.fromEntries(entries)),
    fc.array(fc.tuple(tie('any'), tie('any'))).map(entries => toMap(entries)),
    fc.array(tie('any')).map(items => new EdnSet(items)),
    fc.tuple(tagName, tie('any')).map(([tag, inner]) => new Tagged(tag, inner)),
  ),
})).any

const names = fc.oneof(text, keywordText)
const changed = fc
  .tuple(atom, text)
  .filter(([value]) => typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
  .map(([value, field]) => {
    for (const name of Object.keys(value as object)) Reflect.set(value as object, name, field)
    return value
  })
const faked = fc
  .tuple(fc.constantFrom(Sym, Char, Decimal, Double, Ratio, Uuid, Tagged, Date, Map, Set, Error, URL), text)
  .map(([type, name]) => {
    const fields = { name, text: name, value: name, tag: name, numerator: 1n, denominator: 0n, message: name }
    return Object.assign(Object.create(type.prototype) as object, fields)
  })
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    undefined,
    Symbol('s'),
    10n ** 10_000n,
    new Float64Array(1),
    new URL('http://a/b?c'),
    NaN,
    -0,
  ),
  fc.constantFrom(
    1,
    1n,
    new Double(1),
    0,
    new Decimal('1.0'),
    new Decimal('1.00'),
    new Date(1),
    'http://a/b?c',
  ),
  text.map(message => new Error(message, { cause: message })),
  fc.tuple(text, atom).map(([message, data]) => new WatError('denied', message, { data })),
  fc.tuple(fc.constantFrom('inst', 'uuid', 'wat/bytes', 'wat/object', 'wat/req', 'a', ''), text).map(([tag, inner]) => new Tagged(tag, `!${inner}`)), // prettier-ignore
  changed,
  faked,
)

/** Any value that a program may hand over, also such as EDN cannot carry. */
export const anything: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>(tie => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    strange,
    fc.array(tie('any')),
    fc.array(fc.tuple(names, tie('any'))).map(entries => Object.fromEntries(entries)),
    fc.array(fc.tuple(tie('any'), tie('any'))).map(entries => new Map(entries)),
    fc.array(tie('any')).map(items => new Set(items)),
    fc.array(tie('any')).map(items => new EdnSet(items.filter(item => typeof item !== 'object'))),
  ),
})).any

/** Pieces of the array or text, cut at any places. */
export function cut<T extends { length: number; slice(from: number, to: number): T }>(
  whole: T,
  cuts: number[],
): T[] {
  const places = [...new Set(cuts.map(cut => cut % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => whole.slice(from, places[i] ?? whole.length))
}

// As the reader has it: keywords only, and it is an object.
function toMap(entries: [unknown, unknown][]): unknown {
  const map = new EdnMap([['always', 'one key that is no keyword'], ...entries])
  return map
}
