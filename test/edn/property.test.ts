import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from '../../runtime/edn/encode.ts'
import { equals, List, parse, parseAll, Reader, stringify } from '../../runtime/edn/index.ts'
import type { WatError } from '../../runtime/error.ts'
import { readAll } from '../support/read-all.ts'
import { anything, cut, value } from './arbitrary.ts'

// fast-check prints seed and path of a failure; WAT_SEED replays it.
const seed = process.env.WAT_SEED === undefined ? Date.now() : Number(process.env.WAT_SEED)
/** `npm run fuzz` asks for more. */
const RUNS = process.env.FUZZ_SECONDS === undefined ? 50 : 400
const check = (property: fc.IProperty<any>, numRuns = RUNS) => fc.assert(property, { seed, numRuns })

describe('P1 what is written is read as the same value', () => {
  test('on one line', () => {
    check(
      fc.property(value, v => {
        const text = stringify(v)
        expect(text).not.toMatch(/[\r\n]/)
        same(parse(text), v)
      }),
    )
  })

  test('over several lines', () => {
    check(fc.property(value, v => same(parse(stringify(v, { pretty: true })), v)))
  })

  test('however its bytes are split', () => {
    check(
      fc.property(fc.array(value, { maxLength: 4 }), fc.array(fc.nat()), (values, cuts) => {
        const bytes = new TextEncoder().encode(values.map(v => stringify(v)).join('\n'))
        const read = allOf(cut(bytes, cuts))
        expect(read.errors).toEqual([])
        same(read.values, values)
        expect(read.bytes).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })

  test('and the text is stable: writing what was read gives it again', () => {
    check(
      fc.property(value, v => {
        const text = stringify(parse(stringify(v)))
        expect(stringify(parse(text))).toBe(text)
      }),
    )
  })
})

describe('P55 whatever a program hands over', () => {
  test('is refused, or is one form that reads as an equal value', { timeout: 120_000 }, () => {
    let written = 0
    check(
      fc.property(anything, v => {
        for (const write of [stringify, encode, (value: unknown) => stringify(value, { pretty: true })]) {
          let text: string
          try {
            text = write(v)
          } catch (error) {
            expect((error as WatError).code).toMatch(/^(encode|denied)$/)
            continue
          }
          written++
          if (write === encode) expect(text).not.toMatch(/[\r\n]/)
          const read = parse(text)
          expect(equals(read, v) || holdsErrors(text)).toBe(true)
          expect(parse(stringify(read)) !== undefined).toBe(true)
        }
      }),
      5 * RUNS,
    )
    expect(written).toBeGreaterThan(RUNS)
  })
})

/** Their stacks differ. */
const holdsErrors = (text: string): boolean => text.includes('#wat/error')

const garbage = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...'()[]{}"\\#_:;^/@`~\'+-.,09aNMeExru \n\r\t\0\ud800é😀'.split(''),
        ...[
          '#_',
          '#{',
          '##',
          '##Inf',
          '#inst ',
          '"2020"',
          '#:a',
          'nil',
          '\\u',
          '\\newline',
          '1/2',
          ':a',
          '#my/tag ',
        ],
      ),
      { maxLength: 40 },
    )
    .map(parts => parts.join('')),
)

describe('P3 no input does harm', () => {
  test('text yields values or WatErrors', () => {
    check(
      fc.property(garbage, fc.array(fc.nat()), (text, cuts) => {
        const whole = allOf([text])
        const split = allOf(cut(text, cuts))
        same(split.values, whole.values)
        expect(split.errors).toEqual(whole.errors)
      }),
      3000,
    )
  })

  test('bytes yield values or WatErrors', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat()), (bytes, cuts) => {
        const whole = allOf([bytes])
        const split = allOf(cut(bytes, cuts))
        same(split.values, whole.values)
        expect(split.errors).toEqual(whole.errors)
      }),
      3000,
    )
  })

  test('under a cap too', () => {
    check(
      fc.property(garbage, fc.array(fc.nat()), fc.nat(20), (text, cuts, maxFrame) => {
        const options = { maxFrame, maxDepth: 5 }
        const bytes = Buffer.from(text)
        allOf([bytes], options)
        allOf(cut(bytes, cuts), options)
      }),
      3000,
    )
  })

  test('what is read can be written and read again', () => {
    check(
      fc.property(garbage, text => {
        for (const v of allOf([text]).values) same(parse(stringify(v)), v)
      }),
      3000,
    )
  })

  test('after an error reading resumes at the next line', () => {
    check(
      fc.property(
        fc.constantFrom(')', '[}', '{:a}', '{:a 1 :a 2}', '"\\x', '12x', '#inst 5', '^', '[#_]'),
        garbage,
        value,
        (bad, rest, v) => {
          const line = rest.replace(/\n/g, ' ')
          const read = allOf([`${bad} ${line}\n${stringify(v)}`])
          expect(read.errors).toHaveLength(1)
          same(read.values, [v])
        },
      ),
    )
  })

  test('parseAll is the reader', () => {
    check(
      fc.property(fc.array(value, { maxLength: 4 }), values =>
        same(parseAll(values.map(v => stringify(v)).join(' ')), values),
      ),
    )
  })
})

function allOf(chunks: (string | Uint8Array)[], options = {}) {
  const reader = new Reader(options)
  const values: unknown[] = []
  const errors: unknown[] = []
  let bytes = 0
  readAll(
    reader,
    chunks,
    value => {
      values.push(value)
      bytes += reader.valueBytes
    },
    ({ code, message, data }) => errors.push([code, message, data]),
  )
  expect(reader.next()).toBe(false)
  expect(reader.pending).toBe(false)
  expect(reader.buffered).toBe(0)
  return { values, errors, bytes }
}

/** Equal, and of the same kinds where equality does not tell. */
function same(actual: unknown, expected: unknown): void {
  if (!equals(actual, expected)) expect(stringify(actual)).toBe(stringify(expected))
  expect(actual instanceof List).toBe(expected instanceof List)
}
