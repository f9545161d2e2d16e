import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { encode } from '../../runtime/edn/encode.ts'
import * as edn from '../../runtime/edn/index.ts'
import { keywordCount } from '../../runtime/edn/keyword.ts'

const { EdnMap, EdnSet, equals, kw, List, parse, parseAll, registerTag, stringify, Tagged } = edn

const failing = (code: string, path?: string) =>
  expect.objectContaining({ code, ...(path !== undefined && { data: { path } }) })

describe('P1 values', () => {
  test('equal keywords are the same object', () => {
    expect(parse(':a/b')).toBe(kw('a/b'))
    expect(parseAll(':x :x')).toEqual([kw('x'), kw('x')])
    for (const bad of ['a b', '', ':a', 'a/', '/a', 'a;b', 'a"', '\ud800']) {
      expect(() => kw(bad), bad).toThrowError(failing('encode'))
    }
  })

  test('no input grows the table of keywords without bound', async () => {
    for (let round = 0; round < 20; round++) {
      parse(`[${Array.from({ length: 20_000 }, (_, i) => `:round-${round}-${i}`).join(' ')}]`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    const { setFlagsFromString } = await import('node:v8')
    setFlagsFromString('--expose-gc')
    const gc = (await import('node:vm')).runInNewContext('gc') as () => void
    for (let i = 0; i < 10 && keywordCount() > 10_000; i++) {
      gc()
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    expect(keywordCount()).toBeLessThan(10_000)
  })

  test('no input pollutes a prototype', () => {
    const value = parse('{:__proto__ {:admin true} :constructor {:prototype {:admin true}}}') as object
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
    expect(() => parse('{:__proto__ 1 :__proto__ 2}')).toThrowError(failing('malformed'))
  })

  test('composite keys and members are found by value', () => {
    const map = parse('{[1 2] :a {:k #{1}} :b #uuid "00000000-0000-0000-0000-00000000000a" :c 1N :d}') as Map<
      unknown,
      unknown
    >
    expect(map.get([1, 2])).toBe(kw('a'))
    expect(map.get(List.of(1, 2))).toBe(kw('a'))
    expect(map.get({ k: new EdnSet([1]) })).toBe(kw('b'))
    expect(map.get(1)).toBe(kw('d'))
    expect(map.has([1, '2'])).toBe(false)
    expect(map.delete([1, 2]) && !map.has([1, 2])).toBe(true)
    const set = new EdnSet<unknown>([[1], [1], 'x', '\0s\0x', '\0x'])
    expect(set.size).toBe(4)
    expect(new EdnMap([[1, 'a']]).get(1n as never)).toBe('a')
  })

  test('equality is that of EDN', () => {
    expect(equals(parse('{:a [1 #{2 3}]}'), parse('{:a (1 #{3 2})}'))).toBe(true)
    expect(equals(new Map([[kw('a'), 1]]), { a: 1 })).toBe(true)
    expect(equals('a', kw('a'))).toBe(false)
    expect(equals([1], ['1'])).toBe(false)
  })
})

describe('P4 what cannot be written is refused, with its path', () => {
  class Account {}
  const cycle: { a: unknown[] } = { a: [] }
  cycle.a.push(cycle)
  const cases: [string, unknown, string][] = [
    ['a function', { a: [0, 1, 2, { b: () => {} }] }, '$.a[3].b'],
    ['undefined by itself', undefined, '$'],
    ['bytes that are none of ours', { a: new Float64Array(2) }, '$.a'],
    ['a symbol', { s: Symbol('s') }, '$.s'],
    ['an instance of a class', { 'x/y': new Account() }, '$["x/y"]'],
    ['a function under a name that is no keyword', { a: { 'a b': () => {} } }, '$.a["a b"]'],
    ['an invalid date', { at: new Date(NaN) }, '$.at'],
    ['a cycle', cycle, '$.a[0]'],
    ['a value of a map', new Map([['k', () => {}]]), '$.k'],
  ]
  for (const [name, value, path] of cases) {
    test(name, () => {
      expect(() => stringify(value)).toThrowError(failing('encode', path))
      expect(() => stringify(value, { pretty: true })).toThrowError(failing('encode', path))
    })
  }

  test('a cycle with many ways round', () => {
    const a: unknown[] = []
    a.push(a, a)
    expect(() => stringify(a)).toThrowError(failing('encode'))
  })

  test('the namespace wat is refused on the wire', () => {
    expect(() => encode({ a: [new Tagged('wat/req', [1, 2])] })).toThrowError(failing('denied', '$.a[0]'))
    expect(encode(new Tagged('wat/req', 1), false)).toBe('#wat/req 1')
    expect(encode(Uint8Array.of(1))).toBe('#wat/bytes "AQ=="')
  })
})

describe('P1 registered tags', () => {
  class Point {
    readonly x: number
    constructor(x: number) {
      this.x = x
    }
  }
  let unregister = () => {}
  afterEach(() => unregister())

  test('are read and written until taken back', () => {
    unregister = registerTag('my/point', { read: x => new Point(x), class: Point, write: point => point.x })
    expect(parse(stringify([new Point(3)]))).toEqual([new Point(3)])
    unregister()
    expect(parse('#my/point 3')).toEqual(new Tagged('my/point', 3))
    expect(() => stringify(new Point(3))).toThrowError(failing('encode', '$'))
  })

  test('need a proper name', () => expect(() => registerTag('a b', {})).toThrowError(failing('encode')))
})

test('pretty text keeps to about 80 columns and reads back', () => {
  const value = {
    name: 'x'.repeat(30),
    tags: Array.from({ length: 40 }, (_, i) => `tag ${i}`),
    nested: { a: { b: [1, 2] } },
  }
  const text = stringify(value, { pretty: true })
  expect(parse(text)).toEqual(value)
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThan(90)
})

test('nothing else is exported', () => {
  expect(Object.keys(edn).sort()).toEqual(
    'Char Decimal Double EdnMap EdnSet Keyword List Ratio Reader Sym Tagged Uuid equals kw parse parseAll registerTag stringify'.split(
      ' ',
    ),
  )
  expectTypeOf(parse).returns.toBeUnknown()
  expectTypeOf(kw('a')).toEqualTypeOf<edn.Keyword>()
  expectTypeOf<{ a: edn.Keyword; b: [1, Date] }>().toExtend<edn.EdnValue>()
})
