import fc from 'fast-check'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { Char, equals, kw, List, parse, stringify, Sym, Tagged } from '../../runtime/edn/index.ts'
import { fromJsedn, toJsedn } from '../../runtime/jsedn/index.ts'
import { value } from './arbitrary.ts'

const jsedn = createRequire(import.meta.url)('jsedn')

// What jsedn 0.4.1 reads correctly: no escapes, no tags, no discards, no exotic numbers.
const RIGHT = [
  'nil',
  'true',
  '42',
  '-7',
  '1.5',
  '"plain text"',
  ':a',
  ':a/b',
  'sym',
  'ns/sym',
  '[1 2 3]',
  '(1 2 3)',
  '[]',
  '()',
  '{}',
  '#{1 2 3}',
  '{:a 1 :b [2 3]}',
  '{"k" {:v (1 2)} 3 [4]}',
  '[:a "b" c nil true false]',
  '{[1 2] :pair}',
  '{:a #{:x :y} :b {:c {:d [1 [2 [3]]]}}}',
  '123456789012345678901234567890',
]

describe('P5 jsedn, a second opinion', () => {
  for (const text of RIGHT) {
    test(`agrees on ${text}`, () => expect(equals(fromJsedn(jsedn.parse(text)), parse(text))).toBe(true))
  }

  test('reads what we write of the values it knows', () => {
    for (const text of RIGHT) {
      expect(equals(fromJsedn(jsedn.parse(stringify(parse(text)))), parse(text)), text).toBe(true)
    }
  })
})

describe('P5 the converter', () => {
  test('makes jsedn’s own objects', () => {
    expect(toJsedn(kw('a/b'))).toBeInstanceOf(jsedn.Keyword)
    expect(toJsedn(new Sym('x'))).toBeInstanceOf(jsedn.Symbol)
    expect(toJsedn([1])).toBeInstanceOf(jsedn.Vector)
    expect(toJsedn(List.of(1))).toBeInstanceOf(jsedn.List)
    expect(toJsedn({ a: 1 })).toBeInstanceOf(jsedn.Map)
    expect(toJsedn(new Tagged('my/t', 1))).toBeInstanceOf(jsedn.Tagged)
    expect(jsedn.encode(toJsedn({ a: [1, 'x', kw('k'), new Char('\n')] }))).toBe('{:a [1 "x" :k \\newline]}')
  })

  test('loses nothing there and back', () => {
    fc.assert(
      fc.property(value, v => {
        expect(equals(fromJsedn(toJsedn(v)), v)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('goes as deep as values nest', () => {
    const deep = parse('['.repeat(20_000) + ']'.repeat(20_000))
    expect(equals(fromJsedn(toJsedn(deep)), deep)).toBe(true)
  })

  test('refuses cycles, functions and instances of classes', () => {
    const cycle: unknown[] = []
    cycle.push([cycle])
    for (const bad of [cycle, () => {}, new (class Account {})()]) {
      expect(() => toJsedn(bad)).toThrowError(expect.objectContaining({ code: 'encode' }))
    }
    expect(() => fromJsedn(new (class Account {})())).toThrowError(
      expect.objectContaining({ code: 'encode' }),
    )
  })
})
