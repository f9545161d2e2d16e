import { describe, expect, test } from 'vitest'
import { encode } from '../../runtime/edn/encode.ts'
import { fromFault, toFault } from '../../runtime/edn/fault.ts'
import { kw, parse, stringify } from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'

const throwing = (name: string) =>
  Object.defineProperty(new Error('x'), name, {
    get() {
      throw new Error('no')
    },
  })

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function cyclic(): Error {
  const error = new Error('round')
  error.cause = new Error('and round', { cause: error })
  return error
}

const THROWN: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['a function', () => () => {}],
  ['an array of a symbol', () => [Symbol()]],
  ['an object without prototype', () => Object.create(null) as object],
  ['an object whose toString is no function', () => ({ toString: 1 })],
  ['an error without prototype', () => Object.setPrototypeOf(new Error('lost'), null) as object],
  ['an error whose name is a symbol', () => Object.assign(new Error('x'), { name: Symbol('n') })],
  ['an error whose message is an object', () => Object.assign(new Error('x'), { message: { toString: 1 } })],
  ['an error whose stack is a number', () => Object.assign(new Error('x'), { stack: 5 })],
  ...['message', 'name', 'stack', 'cause', 'code', 'data'].map((name): [string, () => unknown] => [
    `an error whose ${name} throws`,
    () => throwing(name),
  ]),
  ['one of ours whose data throws', () => Object.defineProperty(new WatError('denied', 'x'), 'data', { get: () => revoked({}).constructor })], // prettier-ignore
  ['one of ours of a code that is none', () => new WatError('a b' as never, 'x')],
  ['data that cannot be written', () => new WatError('handler', 'x', { data: { toString: 1, f: () => {} } })],
  ['a cycle of causes', cyclic],
  ['a revoked proxy', () => revoked({})],
  ['a revoked proxy of an error', () => revoked(new Error('x'))],
  ['data that is a revoked proxy', () => new WatError('offline', 'x', { data: revoked({}) })],
  ['an exit that cannot be written', () => new WatError('offline', 'x', { data: { exit: () => {}, panic: revoked({}) } })], // prettier-ignore
  ['an error without bounds', () => new Error('x'.repeat(1_000_000), { cause: cyclic() })],
  // eslint-disable-next-line unicorn/no-thenable -- that is the point
  ['a thenable', () => ({ then: () => {} })],
]

describe('P53 whatever is thrown is a fault that can be written', () => {
  for (const [name, make] of THROWN) {
    test(name, () => {
      const fault = toFault(make(), '/here')
      expect(fault).toMatchObject({ type: expect.anything(), message: expect.any(String), address: '/here' })
      const read = fromFault(parse(encode(fault)), '/there')
      expect(read).toBeInstanceOf(WatError)
      expect(read.message).toBe(fault.message)
      // In a value as well.
      const value = make()
      if (!name.includes('proxy') && value instanceof Error)
        expect((parse(stringify([value])) as unknown[])[0]).toBeInstanceOf(WatError)
    })
  }

  test('a chain of causes is cut', () => {
    let text = stringify(cyclic())
    expect(text.length).toBeLessThan(100_000)
    let links = 0
    for (let at: unknown = parse(text); at instanceof Error; at = at.cause) links++
    expect(links).toBe(33)
    text = stringify(toFault(cyclic()))
    expect(text.split(':message').length).toBe(34)
  })
})

const OFFLINE = kw('wat/offline')

describe('P53 whatever comes as a fault is an error', () => {
  const deep = (field: string) =>
    `{:type :wat/offline :exit {} :${field} `.repeat(8000) + 'nil' + '}'.repeat(8000)
  const odd: [string, unknown][] = [
    ['nothing', undefined],
    ['a number', 5],
    ['a vector', [1]],
    ['a Map', new Map([[1, 2]])],
    ['no text', { type: { toString: 1 }, message: { toString: 1 }, address: [1], stack: { split: 1 } }],
    ['an odd cause', { type: kw('a'), cause: { toString: 1 }, data: { toString: 1 } }],
    ['an odd exit', { type: OFFLINE, exit: { toString: 1 }, panic: 5 }],
    ['a deep cause', parse(deep('cause'))],
    ['a deep panic', parse(deep('panic'))],
    ['a deep exit', { type: OFFLINE, exit: parse('['.repeat(8000) + ']'.repeat(8000)) }],
  ]
  for (const [name, map] of odd) {
    test(name, () => {
      const error = fromFault(map, '/there')
      expect(error).toBeInstanceOf(WatError)
      expect(typeof error.message).toBe('string')
      expect(typeof error.stack).toBe('string')
      let links = 0
      for (let at: unknown = error; at instanceof Error; at = at.cause) links++
      expect(links).toBeLessThanOrEqual(33)
      expect(fromFault(parse(stringify(toFault(error)))).code).toBe(error.code)
    })
  }

  test('an error in the place of a fault is that error', () => {
    const error = new WatError('denied', 'x')
    expect(fromFault(error)).toBe(error)
    expect(fromFault({ type: kw('wat/handler'), message: 'y', cause: error }).cause).toBe(error)
  })
})
