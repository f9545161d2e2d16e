import { describe, expect, test } from 'vitest'
import { equals, parse, parseAll, Reader, stringify } from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'
import { readAll } from '../support/read-all.ts'
import { buildJs, cases, emits, inputOf, matches, plainValue } from './cases.ts'
import { disputed } from './disputed.ts'

const read = (mode: string, input: string | Uint8Array) => (mode === 'all' ? parseAll(input) : parse(input))

function failure(run: () => unknown): WatError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(WatError)
    return error as WatError
  }
  throw new Error('did not fail')
}

describe('P1 every valid case yields its value', () => {
  for (const c of cases.filter(c => c.valid === true)) {
    test(`${c.id} ${label(inputOf(c))}`, () => {
      const value = read(c.mode, inputOf(c))
      expect(matches(value, c.value, c.mode), String(value)).toBe(true)
    })
  }
})

describe('P2 every invalid case is refused, with its place', () => {
  for (const c of cases.filter(c => c.valid === false)) {
    test(`${c.id} ${label(inputOf(c))}`, () => {
      const error = failure(() => read(c.mode, inputOf(c)))
      expect(error.code).toBe('malformed')
      expect(error.data).toMatchObject({
        offset: expect.any(Number),
        line: expect.any(Number),
        column: expect.any(Number),
      })
      expect((error.data as { incomplete?: boolean }).incomplete === true).toBe(c.incomplete === true)
    })
  }
})

describe('P2 every disputed case goes as docs/edn.md says', () => {
  test('none is undecided', () => {
    expect(Object.keys(disputed).sort()).toEqual(
      cases
        .filter(c => c.valid === 'disputed')
        .map(c => c.id)
        .sort(),
    )
  })
  for (const c of cases.filter(c => c.valid === 'disputed')) {
    test(`${c.id} ${label(inputOf(c))}`, () => {
      const decision = disputed[c.id]
      if (decision === 'refused') expect(failure(() => read(c.mode, inputOf(c))).code).toBe('malformed')
      else expect(matches(read(c.mode, inputOf(c)), decision, c.mode)).toBe(true)
    })
  }
})

describe('P1 the same comes out however the input is split', () => {
  for (const c of cases.filter(c => inputOf(c).length < 2000)) {
    const input = inputOf(c)
    const whole = drain([input])
    test(`${c.id} char by char`, () => {
      expect(drain(Array.from({ length: input.length }, (_, i) => input[i]!))).toEqual(whole)
    })
    test(`${c.id} at every byte`, () => {
      const bytes = Buffer.from(input)
      for (let i = 0; i <= bytes.length; i++) {
        expect(drain([bytes.subarray(0, i), bytes.subarray(i)]), `split at ${i}`).toEqual(whole)
      }
      expect(drain(Array.from(bytes, byte => Uint8Array.of(byte)))).toEqual(whole)
    })
  }
})

describe('P1 every valid value is written on one line and reads back', () => {
  for (const c of cases.filter(c => c.valid === true)) {
    test(c.id, () => {
      const value = read(c.mode, inputOf(c))
      const text = stringify(value)
      expect(text).not.toMatch(/[\r\n]/)
      expect(equals(parse(text), value)).toBe(true)
      expect(equals(parse(stringify(value, { pretty: true })), value)).toBe(true)
    })
  }
})

describe('P1 what is written reads back', () => {
  for (const c of emits) {
    test(c.id, () => {
      if (c.mustThrow) expect(failure(() => stringify(buildJs(c))).code).toBe('encode')
      else {
        const value = plainValue(c.value)
        const text = stringify(value)
        expect(text).not.toMatch(/[\r\n]/)
        expect(equals(parse(text), value)).toBe(true)
        expect(matches(parse(text), c.value, 'one')).toBe(true)
      }
    })
  }
})

/** Everything a reader says about the input: values and errors, in order. */
function drain(chunks: (string | Uint8Array)[]): unknown[] {
  const reader = new Reader()
  const said: unknown[] = []
  readAll(
    reader,
    chunks,
    value => said.push(stringify(value)),
    ({ code, message, data }) => said.push([code, message, data]),
  )
  expect(reader.next()).toBe(false)
  return said
}

function label(input: string): string {
  return JSON.stringify(input.length > 40 ? input.slice(0, 40) + '…' : input)
}
