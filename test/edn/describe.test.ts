import { expect, test } from 'vitest'
import { describe } from '../../runtime/edn/describe.ts'
import { kw, Ratio } from '../../runtime/edn/index.ts'

test('P53 any value has a bounded text, whatever it does when it is asked', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile: unknown[] = [
    undefined,
    Object.create(null),
    { toString: 1 },
    { toString: () => ({}) },
    {
      get toString() {
        throw new Error('no')
      },
    },
    [Symbol('s')],
    proxy,
    Object.defineProperty(() => {}, 'name', { get: () => Symbol('n') }),
    Object.defineProperty(new Error('x'), 'message', { get: () => Symbol('m') }),
    'x'.repeat(10_000_000),
    Symbol('x'.repeat(10_000)),
    10n ** 1_000_000n,
    { toString: () => 'y'.repeat(10_000) },
  ]
  for (const value of hostile) {
    const text = describe(value)
    expect(typeof text).toBe('string')
    expect(text.length).toBeLessThanOrEqual(1000)
  }
})

test('P53 what is small is told as it is', () => {
  const texts = ['text', 42, 42n, null, true, Symbol('s'), kw('a/b'), Ratio.of(1n, 2n), new TypeError('bad')]
  expect(texts.map(describe)).toEqual(
    ['text', '42', '42', 'null', 'true', 'Symbol(s)', ':a/b', '1/2', 'TypeError: bad'], // prettier-ignore
  )
  expect(describe([1, 2])).toBe('an array of 2')
})
