import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeTo } from '../../runtime/edn/encode.ts'
import { parse, Reader, stringify } from '../../runtime/edn/index.ts'
import { Out } from '../../runtime/edn/out.ts'
import { WatError } from '../../runtime/error.ts'
import { cut } from './arbitrary.ts'

// fast-check prints seed and path of a failure; WAT_SEED replays it.
const seed = process.env.WAT_SEED === undefined ? Date.now() : Number(process.env.WAT_SEED)
const RUNS = process.env.FUZZ_SECONDS === undefined ? 300 : 3000
const check = (property: fc.IProperty<any>, numRuns = RUNS) => fc.assert(property, { seed, numRuns })

const SIMPLE: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
}
const ENDS_OCTAL = /[\s,;"()[\]{}\\^#]/

type Expected = { value: string; end: number } | { problem: string; at: number } | 'incomplete'

/** What stands behind the opening quote at `from`, unit by unit: simple and slow. */
function expected(text: string, from: number): Expected {
  let value = ''
  for (let at = from + 1; at < text.length; at++) {
    const unit = text[at]!
    if (unit === '"') return { value, end: at + 1 }
    if (unit !== '\\') {
      value += unit
      continue
    }
    const kind = text[++at]
    if (kind === undefined) return 'incomplete'
    if (Object.hasOwn(SIMPLE, kind)) {
      value += SIMPLE[kind]!
    } else if (kind === 'u') {
      let code = 0
      for (let n = 0; n < 4; n++) {
        const digit = text[++at]
        if (digit === undefined) return 'incomplete'
        if (!/[0-9a-fA-F]/.test(digit)) return { problem: 'wrong digit in an escape', at }
        code = code * 16 + parseInt(digit, 16)
      }
      value += String.fromCharCode(code)
    } else {
      if (!/[0-7]/.test(kind)) return { problem: 'unknown escape in a string', at }
      let code = Number(kind)
      for (let n = 1; n < 3; n++) {
        const digit = text[at + 1]
        if (digit === undefined) return 'incomplete'
        if (!/[0-7]/.test(digit)) {
          if (!ENDS_OCTAL.test(digit)) return { problem: 'wrong digit in an escape', at: at + 1 }
          break
        }
        at++
        code = code * 8 + Number(digit)
        if (code > 0o377) return { problem: 'octal escape above 377', at }
      }
      value += String.fromCharCode(code)
    }
  }
  return 'incomplete'
}

/** What a reader is to give for the text, whose string begins at `from`, as `outcome` tells it. */
function wanted(text: string, from: number): unknown[] {
  const read = expected(text, from)
  if (read === 'incomplete') return [place(text, text.length, 'the input ends inside a form', true)]
  if ('value' in read) return [[read.value, 7], 'next']
  const error = place(text, read.at, read.problem, false)
  return text.indexOf('\n', read.at) === -1 ? [error] : [error, 'next']
}

function place(text: string, offset: number, problem: string, incomplete: boolean): unknown[] {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  const data = { offset, line, column, ...(incomplete && { incomplete }) }
  return ['malformed', `${problem} (line ${line}, column ${column})`, data]
}

function outcome(chunks: (string | Uint8Array)[]): unknown[] {
  const reader = new Reader()
  const all: unknown[] = []
  const pull = () => {
    for (;;) {
      try {
        if (!reader.next()) return
        all.push(reader.value)
      } catch (error) {
        if (!(error instanceof WatError)) throw error
        all.push([error.code, error.message, error.data])
      }
    }
  }
  for (const chunk of chunks) {
    reader.push(chunk)
    pull()
  }
  reader.end()
  pull()
  return all
}

const part = fc
  .tuple(
    fc.constantFrom(
      ...['a', 'x#', ' ', 'é', 'Ж', '话', '😀', '\u2028', '\u0001', '/', 'nul'],
      ...[
        '\\n',
        '\\t',
        '\\r',
        '\\b',
        '\\f',
        '\\"',
        '\\\\',
        '\\u00e9',
        '\\u0000',
        '\\uD83D\\uDE00',
        '\\uDFff',
      ],
      ...['\\\\/', '\\\\n', '\\\\\\"', 'plain text of some length', 'a line of a program();\\n'],
    ),
    fc.constantFrom(1, 1, 1, 2, 3, 40, 300),
  )
  .map(([text, times]) => text.repeat(times))
const odd = fc.constantFrom('\n', '\t', '\r\n', '\\7 ', '\\12#', '\\377', '\\0\\0 ', '"', '\ud800', '\udc00x')
const wrong = fc.constantFrom(
  '\\/',
  '\\x',
  '\\u12g4',
  '\\8',
  '\\400',
  '\\1a',
  '\\u-001',
  '\\ ',
  '\\😀',
  '\\é',
)
const body = fc
  .array(
    fc.oneof({ arbitrary: part, weight: 12 }, { arbitrary: odd, weight: 1 }, { arbitrary: wrong, weight: 1 }),
    { maxLength: 12 },
  )
  .map(parts => parts.join(''))

const form = (inside: string) => `["${inside}" 7]\n"next"`

/** Where the string that is there first is closed, what follows may be anything: only the value is compared. */
function agrees(text: string, chunks: (string | Uint8Array)[]): void {
  const read = expected(text, 1)
  const whole = typeof read === 'object' && 'value' in read && text.slice(read.end) === ' 7]\n"next"'
  const got = outcome(chunks)
  if (whole || typeof read !== 'object') expect(got).toEqual(wanted(text, 1))
  else if ('problem' in read) expect(got[0]).toEqual(wanted(text, 1)[0])
  else expect(got).toEqual(outcome([text]))
}

describe('P2 strings are read as they would be unit by unit', () => {
  test('whole, in pieces of text, in pieces of bytes', () => {
    check(
      fc.property(body, fc.array(fc.nat(), { maxLength: 6 }), (inside, cuts) => {
        const text = form(inside)
        agrees(text, [text])
        agrees(text, cut(text, cuts))
        if (!text.isWellFormed()) return
        agrees(text, cut(Buffer.from(text), cuts))
      }),
    )
  })

  test('split at every byte, and into single ones', () => {
    check(
      fc.property(body, inside => {
        const text = form(inside).slice(0, 400).toWellFormed()
        const bytes = Buffer.from(text)
        for (let at = 0; at <= bytes.length; at++) agrees(text, [bytes.subarray(0, at), bytes.subarray(at)])
        agrees(
          text,
          Array.from(bytes, byte => Uint8Array.of(byte)),
        )
      }),
      RUNS / 10,
    )
  })

  test('and what is written is read back', () => {
    check(
      fc.property(body, fc.nat(2), (inside, kind) => {
        const value = [[inside], { text: inside }, inside][kind]
        const text = stringify(value)
        expect(text).not.toMatch(/[\r\n]/)
        expect(text.isWellFormed()).toBe(true)
        expect(parse(text)).toEqual(value)
      }),
    )
  })
})

describe('P1 long texts inside of others', () => {
  const long = '"话\n\ud800 /😀'.repeat(30_000)
  const written = JSON.stringify(long)

  test('stand where they belong, as text and as bytes', () => {
    const value = [long, { a: long, b: [1, long, 'é'] }, new Map([[long, long]])]
    const text = `[${written} {:a ${written} :b [1 ${written} "é"]} {${written} ${written}}]`
    expect(stringify(value) === text).toBe(true)
    expect(stringify(long) === written).toBe(true)
    const out = new Out()
    out.text('before ')
    encodeTo(out, value)
    expect(out.take().toString() === `before ${text}`).toBe(true)
    expect(JSON.stringify(parse(text)) === JSON.stringify([long, { a: long, b: [1, long, 'é'] }, {}])).toBe(
      true,
    )
  })

  test('also those of a value that is written while another is', () => {
    const inner = { long }
    const out = new Out()
    const texts: string[] = []
    const outer = {
      long,
      get inner() {
        texts.push(stringify(inner))
        encodeTo(out, inner)
        return 5
      },
      more: long,
    }
    expect(stringify(outer) === `{:long ${written} :inner 5 :more ${written}}`).toBe(true)
    texts.push(out.take().toString())
    expect(texts.every(text => text === `{:long ${written}}`)).toBe(true)
  })

  test('once, where the value is begun again, and none of one that is refused', () => {
    expect(stringify([long, { 'a b': long }]) === `[${written} #wat/object {"a b" ${written}}]`).toBe(true)
    expect(() => stringify([long, Symbol('no')])).toThrowError(WatError)
    expect(stringify([1, 'é'])).toBe('[1 "é"]')
    expect(() => stringify([long, 1, { 'a b': long, c: () => 1 }])).toThrowError(WatError)
    expect(stringify([long]) === `[${written}]`).toBe(true)
  })

  test('of each length around that of a piece', () => {
    for (const unit of ['a', '话', '😀', '\ud83d', '\n']) {
      for (let shift = -3; shift <= 3; shift++) {
        for (const units of [64 * 1024, 2 * 64 * 1024]) {
          const value = 'x'.repeat(units + shift - 2 * unit.length) + unit.repeat(4)
          const out = new Out()
          encodeTo(out, value)
          expect(out.take().toString() === JSON.stringify(value)).toBe(true)
          expect(stringify([value]) === `[${JSON.stringify(value)}]`).toBe(true)
        }
      }
    }
  })
})

describe('P2 strings that are longer than what is read in one go', () => {
  const UNITS = 256 * 1024
  const fillers = { ASCII: 'some text;\\n'.repeat(8), Chinese: `${'话说天下'.repeat(20)}\\n`, dense: '\\"' }
  const tails = [
    '\\n',
    '\\u00e9',
    '\\\\\\\\',
    '\\\\\\"',
    '\\7 ',
    '\n',
    '😀',
    '\\uD83D\\uDE00',
    '\\/',
    '\\x',
    '',
  ]

  for (const [name, filler] of Object.entries(fillers)) {
    test(`${name}: an escape at the seam is none the worse`, { timeout: 60_000 }, () => {
      for (const tail of tails) {
        for (const shift of [1, 5]) {
          const size = UNITS - shift - 2
          const start = filler.repeat(Math.floor(size / filler.length))
          const inside = start + '.'.repeat(size - start.length) + tail + filler.repeat(3000)
          const text = form(inside)
          const want = wanted(text, 1)
          expect(outcome([text])).toEqual(want)
          expect(outcome([Buffer.from(text)])).toEqual(want)
          if (want.length === 2 && Array.isArray(want[0]) && want[0].length === 2)
            expect(parse(text.slice(0, text.lastIndexOf('\n')))).toEqual(want[0])
        }
      }
    })
  }

  test('one that does not end, or ends in a later text', () => {
    const long = 'some text;\\n'.repeat(200_000)
    expect(outcome([`["${long}`])).toEqual(wanted(`["${long}`, 1))
    const text = form(long + long)
    expect(outcome([text.slice(0, long.length), text.slice(long.length)])).toEqual(wanted(text, 1))
    expect(outcome(['[', text.slice(1)])).toEqual(wanted(text, 1))
  })

  test('under a cap it is refused, and what follows is read', () => {
    const text = form('some text;\\n'.repeat(200_000))
    const reader = new Reader({ maxFrame: 1_500_000 })
    reader.push(text)
    reader.end()
    expect(() => reader.next()).toThrowError(expect.objectContaining({ code: 'too-large' }))
    expect(reader.next()).toBe(true)
    expect(reader.value).toBe('next')
    expect(reader.buffered).toBe(0)
  })
})
