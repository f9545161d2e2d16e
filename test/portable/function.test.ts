import { expect, describe, test } from 'vitest'
import { functionPackage } from '../../runtime/portable/function.ts'
import { evaluated, exported, ran, refused } from './functions.ts'

describe('P46 every way of writing a function gives a module that does the same', () => {
  const forms: [name: string, expression: string][] = [
    ['an arrow', '(wat, { k }) => k + 1'],
    ['an arrow without parentheses', 'wat => 3'],
    ['an async arrow', 'async (wat, { k }) => { return k + 1 }'],
    ['an async arrow without parentheses', 'async wat => 3'],
    ['an arrow that gives an object', '() => ({ k: 3 }).k'],
    ['a function', 'function (wat, { k }) { return k + 1 }'],
    ['a named function that calls itself', 'function f(wat, { k }) { return k ? f(wat, { k: k - 1 }) : 3 }'],
    ['an async function', 'async function f(wat, { k }) { return k + 1 }'],
    ['a method', '({ m(wat, { k }) { return k + 1 } }).m'],
    ['an async method', '({ async m(wat, { k }) { return k + 1 } }).m'],
    ['a method with a computed key', "({ ['a' + 'b'](wat, { k }) { return k + 1 } }).ab"],
    ['a method whose key is text', "({ 'a b'(wat, { k }) { return k + 1 } })['a b']"],
    ['a method whose key is a number', '({ 12(wat, { k }) { return k + 1 } })[12]'],
    ['a static method', '(class { static m(wat, { k }) { return k + 1 } }).m'],
    ['a method of a class', 'new (class { m(wat, { k }) { return k + 1 } })().m'],
    ['a private method', '(class { static #m(wat, { k }) { return k + 1 }; static n = this.#m }).n'],
    ['a getter', "Object.getOwnPropertyDescriptor({ get k() { return 3 } }, 'k').get"],
    ['a setter', "Object.getOwnPropertyDescriptor({ set k(v) { return 3 } }, 'k').set"],
    ['what `Function` makes', "new Function('wat', 'given', 'return given.k + 1 // k')"],
    ['a function over lines of every kind', 'function (wat,\r\n{ k }) {\r//\u2028return k + 1\n}'],
    ...[
      'get',
      'set',
      'async',
      'static',
      'function',
      'class',
      'constructor',
      'await',
      '__proto__',
      'of',
    ].flatMap((key): [string, string][] => [
      [`a method called ${key}`, `Object.values({ ['${key}']: 1, ${key}(wat, { k }) { return k + 1 } })[0]`],
      [`an async method called ${key}`, `({ async ${key}(wat, { k }) { return k + 1 } })['${key}']`],
    ]),
  ]

  test.each(forms)('P46 %s', async (_name, expression) => {
    const fn = evaluated(expression)
    const result: unknown = await fn({}, { k: 2 })
    expect(result).toBe(3)
    const module = await ran(functionPackage(fn))
    expect(await module.default({}, { k: 2 })).toBe(result)
  })

  test('P46 the module bears the name of the function, if a file can', () => {
    const nameOf = (fn: Function) => decodeURIComponent(functionPackage(fn).main).split('/').at(-1)
    expect(nameOf(evaluated('function double() {}'))).toBe('[double].mjs')
    expect(nameOf(evaluated('() => 0'))).toBe('[function].mjs')
    expect(nameOf(evaluated("({ '../x'() {} })['../x']"))).toBe('[function].mjs')
    expect(nameOf(Object.defineProperty(() => 0, 'name', { value: Symbol('s') }))).toBe('[function].mjs')
  })

  test('P46 it is one file, the entry', () => {
    const { main, files, ...more } = functionPackage(evaluated('() => 0'))
    expect(files).toEqual({ [main]: 'export default (() => 0)\n' })
    expect(more).toEqual({})
  })
})

describe('P46 what is no function of JavaScript is refused', () => {
  test.each([
    ['a class', 'class A {}', 'a class'],
    ['a class that extends', 'class extends Array { constructor() { super() } }', 'a class'],
    ['a generator', 'function* () {}', 'a generator'],
    ['an async generator', 'async function* f() {}', 'a generator'],
    ['a generator method', '({ *m() {} }).m', 'a generator'],
    ['an async generator method', '({ async *m() {} }).m', 'a generator'],
    ['a function of the language', 'Math.max', 'has no source'],
    ['a function of Node', 'setTimeout.bind(null)', 'has no source'],
    ['a bound function', '(() => 0).bind(null)', 'has no source'],
    ['a function behind a proxy', 'new Proxy(() => 0, {})', 'has no source'],
  ])('P46 %s', (_name, expression, message) => {
    const error = refused(() => functionPackage(evaluated(expression)))
    expect(error).toMatchObject({ code: 'denied' })
    expect(error.message).toContain(message)
  })

  test.each([
    ['`with`', '(function () {\n  with ({}) 0\n})', "'with' in strict mode (2:3)"],
    ['an octal number', '(() => 010)', 'Invalid number (1:7)'],
    ['`super`', '({ m() { return super.toString() } }).m', "'super' keyword outside a method (1:14)"],
    [
      '`super` in an arrow',
      '({ m() { return () => super.x } }).m()',
      "'super' keyword outside a method (1:7)",
    ],
    ['a private name', '(class { static #x = 1; static m = () => this.#x }).m', "Private field '#x'"],
    ['`new.target` of what is around', '(function () { return () => new.target })()', "'new.target'"],
  ])('P46 what a module cannot have: %s', (_name, expression, message) => {
    const error = refused(() => functionPackage(evaluated(expression)))
    expect(error).toMatchObject({ code: 'denied' })
    expect(error.message).toContain(message)
  })

  test.each([
    ['its own place', '() => import(`./x.js`)', 'it imports `./x.js` (1:7)'],
    ['the folder above', "async () => {\n  await import('../x.js')\n}", 'it imports `../x.js` (2:9)'],
    ['the package around it', "() => import('#x')", 'it imports `#x` (1:7)'],
  ])('P46 an import of %s', (_name, expression, message) => {
    expect(refused(() => functionPackage(evaluated(expression))).message).toContain(message)
  })

  test('P46 `import.meta`', async () => {
    const fn = await exported('() => [\n  import.meta.url]')
    const error = refused(() => functionPackage(fn))
    expect(error).toMatchObject({ code: 'denied' })
    expect(error.message).toContain('it uses `import.meta` (2:3)')
  })
})
