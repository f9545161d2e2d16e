import { describe, expect, test } from 'vitest'
import { encode } from '../../runtime/edn/encode.ts'
import * as edn from '../../runtime/edn/index.ts'
import { fromJsedn, toJsedn } from '../../runtime/jsedn/index.ts'
import { WatError } from '../../runtime/error.ts'

const { Double, EdnMap, kw, parse, Reader, stringify, Sym, Tagged } = edn

const failing = (code: string, path?: string) =>
  expect.objectContaining({ code, ...(path !== undefined && { data: expect.objectContaining({ path }) }) })

const NAMES = [
  '@types/node',
  'a b',
  '',
  'https://example.org/a?b=c#d',
  'someone@example.org',
  '1/2',
  ':a',
  'a/',
  'line\nfeed',
  'quote"',
  '\ud800',
  '\0',
  '{}',
]

describe('P54 an object comes back as the object it was, whatever its names', () => {
  for (const name of NAMES) {
    test(JSON.stringify(name), () => {
      const object = { plain: 1, [name]: [{ [name]: null, b: undefined }], constructor: 2, 7: 'x' }
      const expected = { ...object, [name]: [{ [name]: null }] }
      for (const text of [stringify(object), stringify(object, { pretty: true }), encode(object)]) {
        const back = parse(text) as object
        expect(back).toStrictEqual(expected)
        expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
        expect(Object.keys(back)).toEqual(Object.keys(object))
      }
      expect(stringify(object)).not.toMatch(/[\r\n]/)
      expect(fromJsedn(toJsedn(object))).toEqual(expected)
    })
  }

  test('it is written as #wat/object, and maps of keywords as they were', () => {
    expect(stringify({ a: 1, '@x/y': { b: 2 } })).toBe('#wat/object {"a" 1 "@x/y" {:b 2}}')
    expect(stringify({ a: 1, 'x/y': { b: 2 }, '1a': 3 })).toBe('{:a 1 :x/y {:b 2} :1a 3}')
    expect(stringify({ 'a b': undefined, c: 1 })).toBe('{:c 1}')
  })

  test('the names that mean something to JavaScript are fields like others', () => {
    const object = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"a b":2}') as object
    const back = parse(stringify(object)) as object
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor', 'a b'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('a Map with strings as keys stays a Map', () => {
    const map = new Map([['a b', 1]])
    expect(stringify(map)).toBe('{"a b" 1}')
    expect(parse(stringify(map))).toBeInstanceOf(Map)
  })

  test('odd names deep inside cost no more than once', () => {
    let value: unknown = 'x'.repeat(100_000)
    for (let i = 0; i < 300; i++) value = { a: value, 'b c': 1 }
    const text = stringify(value)
    expect(stringify(parse(text))).toBe(text)
  }, 30_000)

  test('#wat/object stands before a map of strings and nothing else', () => {
    for (const text of ['5', '[]', '{:a 1}', '{"a" 1 :b 2}', '{1 2}', '{"a" 1 "a" 2}', 'nil', '#{}']) {
      expect(() => parse(`#wat/object ${text}`), text).toThrowError(failing('malformed'))
    }
    expect(parse('#wat/object {}')).toEqual({})
    const reader = new Reader()
    reader.push('#wat/object {"a b" #wat/object {"" 1}} ')
    expect(reader.next() && reader.value).toEqual({ 'a b': { '': 1 } })
  })

  test('a program cannot write our tags by hand', () => {
    for (const tag of ['wat/object', 'wat/error', 'wat/bytes', 'wat/req']) {
      expect(() => encode([new Tagged(tag, new Map())])).toThrowError(failing('denied', '$[0]'))
    }
    expect(() => stringify(new Tagged('wat/object', 5))).toThrowError(failing('encode'))
  })
})

describe('P54 undefined', () => {
  test('is nil inside, nothing in a field, and nil as a message', () => {
    // eslint-disable-next-line no-sparse-arrays -- that is the point
    expect(stringify([undefined, , 1])).toBe('[nil nil 1]')
    expect(stringify({ a: undefined, b: [undefined] })).toBe('{:b [nil]}')
    expect(stringify(new Map([['k', undefined]]))).toBe('{"k" nil}')
    expect(stringify(new Set([undefined]))).toBe('#{nil}')
    expect(stringify(new Tagged('my/t', undefined))).toBe('#my/t nil')
    expect(encode(undefined)).toBe('nil')
    expect(() => stringify(undefined)).toThrowError(failing('encode', '$'))
    expect(() => stringify(undefined, { pretty: true })).toThrowError(failing('encode', '$'))
  })
})

describe('P54 other objects of JavaScript', () => {
  test('a URL is its text', () => {
    const url = new URL('https://example.org/a b?c="d"')
    expect(parse(stringify({ url, list: [url] }))).toEqual({ url: url.href, list: [url.href] })
  })

  test('bytes of another kind are refused, and the message says what can travel', () => {
    const buffer = new ArrayBuffer(8)
    const kinds = [
      new Float64Array(buffer),
      new BigInt64Array(buffer),
      new Uint8ClampedArray(buffer),
      new DataView(buffer),
      buffer,
      new SharedArrayBuffer(8),
    ]
    for (const bytes of kinds) {
      expect(() => stringify({ bytes })).toThrowError(failing('encode', '$.bytes'))
      expect(() => stringify({ bytes })).toThrowError(/new Uint8Array\(.*Array\.from/)
    }
    expect(parse(stringify(Buffer.from('hi')))).toEqual(Uint8Array.of(104, 105))
  })
})

describe('P54 errors are values', () => {
  const back = (value: unknown): any => parse(stringify(value))

  test('a WatError comes back with all it had', () => {
    const cause = new WatError('timeout', 'late', { address: '/kid', data: { ms: 5 } })
    const error = new WatError('denied', 'no "entry"', { address: '/', data: [1, { '@a': 2 }], cause })
    const [read] = back([error])
    expect(read).toBeInstanceOf(WatError)
    expect(read).toMatchObject({
      code: 'denied',
      message: 'no "entry"',
      address: '/',
      data: [1, { '@a': 2 }],
    })
    expect(read.cause).toMatchObject({ code: 'timeout', message: 'late', address: '/kid', data: { ms: 5 } })
    expect(read.stack).toContain('ordinary.test.ts')
  })

  test('an Error of any class comes as a WatError', () => {
    const error = Object.assign(new RangeError('far', { cause: new Error('root') }), { code: 'E_FAR' })
    const read = back({ error }).error
    expect(read).toMatchObject({
      code: 'handler',
      message: 'far',
      data: { name: 'RangeError', code: 'E_FAR' },
    })
    expect(read.address).toBeUndefined()
    expect(read.cause).toMatchObject({ message: 'root' })
    expect(back(new DOMException('gone', 'AbortError'))).toMatchObject({
      message: 'gone',
      data: { name: 'AbortError' },
    })
    const all = back(new AggregateError([new Error('one'), 2], 'all'))
    expect(all).toMatchObject({
      message: 'all',
      data: { name: 'AggregateError', errors: [{ message: 'one' }, 2] },
    })
  })

  test('results of Promise.allSettled and exits', async () => {
    const settled = await Promise.allSettled([Promise.resolve(1), Promise.reject(new TypeError('no'))])
    expect(back(settled)).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { code: 'handler', message: 'no' } },
    ])
    const panic = new WatError('handler', 'boom', { address: '/kid' })
    expect(back({ code: 2, panic })).toMatchObject({ code: 2, panic: { message: 'boom', address: '/kid' } })
    const offline = new WatError('offline', '/kid exited', {
      data: { exit: { code: 2 }, panic: { type: kw('wat/handler'), message: 'boom' } },
    })
    expect(back(offline)).toMatchObject({
      code: 'offline',
      data: { exit: { code: 2 } },
      cause: { message: 'boom' },
    })
  })

  test('anywhere: keys, members, tags, fields of errors, printed for people', () => {
    const error = new Error('e')
    const value = [new Map([[error, error]]), new Set([error]), new Tagged('my/t', error), { 'a b': error }]
    const [map, set, tagged, object] = back(value)
    for (const read of [...map.keys(), ...map.values(), ...set, tagged.value, object['a b']]) {
      expect(read).toMatchObject({ code: 'handler', message: 'e' })
    }
    expect(parse(stringify(value, { pretty: true }))).toHaveLength(4)
    expect(back(new WatError('denied', 'x', { data: { error } })).data.error).toMatchObject({ message: 'e' })
    expect(fromJsedn(toJsedn([error]))).toMatchObject([{ code: 'handler', message: 'e' }])
  })

  test('what EDN cannot carry of their data is told in words', () => {
    const cycle = new WatError('handler', 'round', { data: { two: [] as unknown[] } })
    ;(cycle.data as { two: unknown[] }).two.push(cycle, cycle)
    const errors = [
      new WatError('handler', 'f', { data: { f: () => {} } }),
      new WatError('handler', 'g', {
        data: { ok: 1 },
        cause: new WatError('handler', 'h', { data: Symbol('s') }),
      }),
      new WatError('handler', 'reserved', { data: new Tagged('wat/req', [1]) }),
      cycle,
    ]
    for (const text of [stringify(errors), stringify(errors, { pretty: true }), encode(errors)]) {
      const read = parse(text) as WatError[]
      expect(read.map(({ message }) => message)).toEqual(['f', 'g', 'reserved', 'round'])
      expect(read[1]!.data).toEqual({ ok: 1 })
      expect(read[1]!.cause).toMatchObject({ message: 'h', data: 'Symbol(s)' })
    }
  })

  test('#wat/error stands before a fault and nothing else', () => {
    for (const text of ['5', '[]', '{"a" 1}', 'nil']) {
      expect(() => parse(`#wat/error ${text}`), text).toThrowError(failing('malformed'))
    }
    expect(parse('#wat/error {}')).toBeInstanceOf(WatError)
  })
})

test('P54 numbers may not begin with a zero that is not all of them', () => {
  for (const text of [
    '08',
    '-07',
    '+07',
    '00',
    '007',
    '017',
    '08N',
    '07.5',
    '00.5',
    '01M',
    '01/2',
    '1/02',
    '-00',
  ]) {
    expect(() => parse(text), text).toThrowError(failing('malformed'))
    expect(() => parse(`[${text}]`), text).toThrowError(failing('malformed'))
  }
  expect(
    ['0', '-0', '0.5', '-0.5', '0N', '0M', '0x1F', '2r01', '1e05', '0/3'].map(text => stringify(parse(text))),
  ).toEqual(
    ['0', '0', '0.5', '-0.5', '0N', '0M', '31', '1', '100000', '0'], // prettier-ignore
  )
})

describe('P55 what the reader would refuse is not written', () => {
  const date = () => new Date(5)
  const faked = (type: { prototype: object }, fields: object) =>
    Object.assign(Object.create(type.prototype), fields)
  const changed = (value: object, fields: object) => {
    for (const [name, field] of Object.entries(fields)) Reflect.set(value, name, field)
    return value
  }
  const cases: [string, () => unknown, string?][] = [
    ['equal vectors', () => new Set([[1], [1]])],
    ['a vector and a list', () => new Set([[1], edn.List.of(1)])],
    ['a number and its bigint', () => new Map<unknown, string>([[1, 'a'], [1n, 'b']])],
    ['a number and its Double', () => new Set([1, new Double(1)])],
    ['NaN twice', () => new Set([NaN, new Double(NaN)])],
    ['zero twice', () => new Set([0, new Double(-0)])],
    ['nil and undefined', () => new Set([null, undefined])],
    ['an object and a Map of keywords', () => new Set([{ a: 1 }, new Map([[kw('a'), 1]])])],
    ['objects that differ in undefined', () => new Set([{ a: 1, b: undefined }, { a: 1 }])],
    ['dates', () => new Map([[date(), 1], [date(), 2]])],
    ['a date and its text under the tag', () => new Set([new Date(0), new Tagged('inst', '1970')])],
    ['bytes', () => new Set([Uint8Array.of(1), Buffer.of(1)])],
    ['decimals', () => new Set([new edn.Decimal('1.0'), new edn.Decimal('1.00')])],
    ['a URL and its text', () => new Set([new URL('http://a/'), 'http://a/'])],
    ['sets deep inside', () => ({ a: [new Set([new Set([[1, 2]]), new Set([[1, 2]])])] }), '$.a[0]'],
    ['members changed after they were put in', () => {
      const [a, b] = [[1], [2]]
      const set = new edn.EdnSet([a, b])
      b[0] = 1
      return [set]
    }, '$[0]'],
    ['members of a set inside changed', () => {
      const [a, b] = [[1], [2]]
      const sets = new Set([new edn.EdnSet([a]), new edn.EdnSet([b])])
      b[0] = 1
      return sets
    }],
    ['a Map inside a Map', () => new Map([[{ k: [1n] }, 1], [{ k: [1] }, 2]])],
    ['an integer of too many digits', () => [10n ** 10_000n], '$[0]'],
    ['a decimal of too many digits', () => new edn.Decimal('1'.repeat(10_001))],
    ['a ratio of too many digits', () => new edn.Ratio(1n, 10n ** 1000n)],
    ['a decimal that was changed', () => changed(new edn.Decimal('1'), { text: '1 #wat/evil 2' })],
    ['a decimal that is none', () => faked(edn.Decimal, { text: '1M 2' })],
    ['a ratio that was changed', () => changed(edn.Ratio.of(1n, 2n) as object, { numerator: '1 2' })],
    ['a ratio that is none', () => faked(edn.Ratio, { numerator: 1n, denominator: 0n })],
    ['a uuid that was changed', () => changed(new edn.Uuid('00000000-0000-0000-0000-000000000000'), { text: '"' })],
    ['a character that was changed', () => changed(new edn.Char('a'), { value: 'a b' })],
    ['a Double that was changed', () => changed(new Double(1), { value: '1 2' })],
    ['a symbol that is none', () => faked(Sym, { name: 'a b' })],
    ['a keyword that is none', () => faked(edn.Keyword, { name: 'a b' })],
    ['a tag that was changed', () => changed(new Tagged('a', 1), { tag: 'a b' })],
    ['a tag that is no text', () => new Tagged({ toString: () => 'a', startsWith: () => false } as never, 1)],
    ['an instant that is none', () => new Tagged('inst', 'yesterday')],
    ['a uuid by hand that is none', () => new Tagged('uuid', 5)],
    ['a date that is none', () => faked(Date, {})],
    ['a date that is out of range', () => new Date(8.64e15)],
    ['a Map that is none', () => faked(Map, {})],
    ['bytes that are none', () => faked(Uint8Array, {})],
    ['a proxy that was revoked', () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return [proxy]
    }, '$[0]'],
    ['a getter that throws', () => ({ get a() { throw new Error('no') } })],
    ['a getter that throws one of ours', () => ({ get a() { throw new WatError('offline', 'no') } })],
  ] // prettier-ignore
  for (const [name, make, path = '$'] of cases) {
    test(name, () => {
      expect(() => stringify(make())).toThrowError(failing('encode', path))
      expect(() => stringify(make(), { pretty: true })).toThrowError(failing('encode', path))
      expect(() => encode(make())).toThrowError(failing('encode', path))
    })
  }

  test('a class of its own cannot write what it likes', () => {
    class Day extends Date {
      override toISOString = () => '" 5 "'
      override getTime = () => 5
    }
    class Half extends edn.Ratio {
      override toString = () => '1 2'
    }
    class Pairs extends Map {
      override [Symbol.iterator] = () => [[1], [1, 2, 3]][Symbol.iterator]() as never
    }
    class Same extends Set {
      override [Symbol.iterator] = () => [1, 1][Symbol.iterator]() as never
    }
    const value = [
      Reflect.construct(Day, [0]) as object,
      Reflect.construct(Half, [1n, 2n]) as object,
      Reflect.construct(Pairs, [[[1, 2]]]) as object,
      Reflect.construct(Same, [[1]]) as object,
    ]
    expect(stringify(value)).toBe('[#inst "1970-01-01T00:00:00.000-00:00" 1/2 {1 2} #{1}]')
  })

  test('what is the same object for all who use it cannot be changed', () => {
    for (const shared of [kw('a/b'), parse('shared-symbol') as object]) {
      expect(() => Object.assign(shared, { name: 'x' })).toThrowError(TypeError)
    }
  })

  test('nesting as deep as can be read, and no deeper', { timeout: 120_000 }, () => {
    let most: unknown = []
    for (let depth = 1; depth < 1_000_000; depth++) most = [most]
    const text = stringify(most)
    expect(text.length).toBe(2_000_000)
    expect(parse(text)).toHaveLength(1)
    // A name that no keyword can have is a level more, and on the wire a value stands inside a frame.
    expect(() => stringify({ 'a b': (most as unknown[])[0] })).toThrowError(failing('encode'))
    expect(() => encode(most)).toThrowError(failing('encode'))
  })

  test('sets in sets of plain JavaScript are looked at once', () => {
    let set: Set<unknown> = new Set([[0]])
    for (let i = 0; i < 20_000; i++) set = new Set([[i], set])
    const text = stringify(set)
    expect(stringify(parse(text))).toBe(text)
  }, 60_000)

  test('what a Map tells apart by itself is written', () => {
    const map = new EdnMap<unknown, unknown>([['1', 1], [1, 2], [kw('a'), 3], [new Sym('a'), 4], ['a', 5], [true, 6], [2n ** 60n, 7], [2 ** 60, 8]]) // prettier-ignore
    expect((parse(stringify(new Map(map))) as Map<unknown, unknown>).size).toBe(map.size)
  })
})
