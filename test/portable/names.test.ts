import { execFileSync } from 'node:child_process'
import { test } from 'vitest'
import { functionPackage } from '../../runtime/portable/function.ts'
import { isGlobal, NODE_GLOBALS } from '../../runtime/portable/globals.ts'
import { describe, expect, it } from '../support/lab.ts'
import { oldestNode } from '../support/machine.ts'
import { evaluated, refused } from './functions.ts'

describe('P46 a function that reaches for what it was not given is refused', () => {
  test('P46 every name is told once, where it is used first, in the order of the text', () => {
    const fn = evaluated(
      'async ({ serve }) => {\n  const f = n => n * rate\n  await serve(n => helper(f(n), rate))\n}',
    )
    const error = refused(() => functionPackage(fn))
    expect(error).toMatchObject({
      code: 'denied',
      message:
        'the function is not self-contained: it uses `rate` (2:22), `helper` (3:20), which it was not given; ' +
        'pass it as given, or import inside it',
      data: {
        names: [
          { name: 'rate', place: '2:22' },
          { name: 'helper', place: '3:20' },
        ],
      },
    })
  })

  const uses: [expression: string, ...names: string[]][] = [
    ['() => x', 'x'],
    ['() => { x }', 'x'],
    ['() => { x = 1 }', 'x'],
    ['() => { x ??= 1 }', 'x'],
    ['() => { x++ }', 'x'],
    ['() => { [x] = [1] }', 'x'],
    ['() => { ({ x } = {}) }', 'x'],
    ['() => { ({ a: x = y } = {}) }', 'x', 'y'],
    ['() => { for (x of []); }', 'x'],
    ['() => { for (x in {}); }', 'x'],
    ['() => ({ x })', 'x'],
    ['() => ({ [x]: 1 })', 'x'],
    ['() => ({ ...x })', 'x'],
    ['() => [...x]', 'x'],
    ['() => `${x}`', 'x'],
    ['() => x`a`', 'x'],
    ['() => new x()', 'x'],
    ['() => x?.a?.[y]', 'x', 'y'],
    ['() => class extends x {}', 'x'],
    ['() => class { [x] = 1 }', 'x'],
    ['() => class { a = x }', 'x'],
    ['() => class { static { x } }', 'x'],
    ['() => class { static a = x }', 'x'],
    ['(a = x) => a', 'x'],
    ['({ [x]: a }) => a', 'x'],
    ['(a = b) => { let b }', 'b'],
    ['() => { { let x } x }', 'x'],
    ['() => { { const x = 1; function f() {} } f }', 'f'], // in a module a block keeps its functions
    ['() => { try {} catch (x) {} x }', 'x'],
    ['() => { for (let x of []); x }', 'x'],
    ['() => { (function x() {}); x }', 'x'],
    ['() => { (class x {}); x }', 'x'],
    ['() => { x: for (;;) break x; x }', 'x'],
    ['() => delete x.y', 'x'],
    ['() => void x', 'x'],
    ['() => typeof x.y', 'x'],
    ['() => typeof (x, y)', 'x', 'y'],
    ['() => typeof x && x', 'x'],
    ['() => import(x)', 'x'],
    ["() => import('node:fs', { with: x })", 'x'],
    ['async () => { for await (const a of x); }', 'x'],
    ['() => (() => () => x)', 'x'],
    ['() => { eval("var x"); x }', 'x'],
    ['() => arguments', 'arguments'], // those of what is around the arrow
    ['() => require("node:fs")', 'require'],
    ['() => [module, exports, __filename, __dirname]', 'module', 'exports', '__filename', '__dirname'],
    ['({ m() { return m() } }).m', 'm'], // a method has no name inside itself
    ['({ async [Symbol.iterator]() { x } })[Symbol.iterator]', 'x'],
  ]

  test.each(uses)('P46 %s', (expression, ...names) => {
    const { code, data } = refused(() => functionPackage(evaluated(expression)))
    expect(code).toBe('denied')
    expect((data as { names: { name: string }[] }).names.map(({ name }) => name)).toEqual(names)
  })

  test('P46 what this process has put among its globals is not in the child', () => {
    Object.assign(globalThis, { putHere: 1 })
    try {
      expect(refused(() => functionPackage(evaluated('() => putHere'))).message).toContain('`putHere` (1:7)')
    } finally {
      delete (globalThis as { putHere?: number }).putHere
    }
  })
})

describe('P46 what a function has of its own is no reason to refuse it', () => {
  test.each([
    '(a, [b, , ...c], { d, e: { f }, ...g }, h = a) => [a, b, c, d, f, g, h]',
    '() => { var a = 1, [b] = [a], { c, d: e = b } = { c: b }; return [a, b, c, e] }',
    '() => { a(); function a() {} }',
    '() => { a; let a }', // too early, and no other name than its own
    '() => { return a; var a }',
    '() => { if (1) { var a } return a }',
    '() => { for (const a of []) a; for (let b = 0; b < 1; b++) b; for (const c in {}) c }',
    'async () => { for await (const a of []) a }',
    '() => { try { 0 } catch (e) { e } }',
    '() => { try { 0 } catch ({ message, ...rest }) { message, rest } finally {} }',
    '() => { try { 0 } catch { 0 } }',
    '() => { a: for (;;) { b: for (;;) { continue a; break b } } }',
    '() => ({ a: 1, "b": 2, 3: 4, c() {}, get d() { return 1 }, set d(v) { v }, async *e() {} })',
    '() => { let o = {}; return [o.a, o?.b, o.c.d(), o["e"]] }',
    '() => class A { #p = 1; static s = A; q; get r() { return this.#p } static { A.s } m() { return #p in this } }',
    '() => class extends Array { constructor() { super(); new.target; super.x } }',
    '() => { class A {} class B extends A {} return B }',
    '() => { const f = function g(n) { return n ? g(n - 1) : f } }',
    'function f() { return [f, arguments, this] }',
    'function () { return () => arguments }',
    '({ m() { return [this, arguments] } }).m',
    "({ ['a' + 1]() {} }).a1",
    '() => this',
    '() => [undefined, NaN, Infinity, globalThis, Object, Intl, Atomics, Iterator, eval, escape]',
    '() => [process, Buffer, console, URL, fetch, structuredClone, performance, crypto, navigator, global]',
    '() => [setTimeout, AbortSignal, ReadableStream, WebSocket, CustomEvent, MessageChannel, WebAssembly]',
    '() => typeof x',
    "() => typeof x === 'undefined' && typeof (y) && typeof require",
    'async () => [await import("node:fs"), await import("wat-vm"), await import("x"), import("/a"), import("file:///a")]',
    '(name) => import(name)',
    '() => `a${1}b` + String.raw`x`',
    '() => /x/v.test("x")',
    '() => { switch (1) { case 1: let a; default: a } }',
    '() => { debugger; "x"; ; }',
    '() => { let a = 1; { let a = 2; a } return () => { a = 3; let b = a; b } }',
    '(a, b = () => a, c = b) => c',
    'async () => { const { a = 1, ["b"]: b = a } = await {}; return b }',
    '() => { const a = { a: () => a }; a.a }',
    '() => { let async, of, get, set, as, from, x; x => x; return [async, of, get, set, as, from] }',
    'async ({ serve, kw }, { k }) => serve(n => [kw("a"), n + k])',
    '() => 1n ** 2n + 0x1 + 1_000',
    '() => { let é = 1, $ = 2, \\u0061b = 3; return [é, $, ab] }',
  ])('P46 %s', expression => {
    expect(() => functionPackage(evaluated(expression))).not.toThrow()
  })

  test('P46 a function too deep to be looked at is refused, and does not break the caller', () => {
    const fn = evaluated(`() => ${'['.repeat(1500)}${']'.repeat(1500)}`)
    const shallow = evaluated(`() => ${'['.repeat(100)}${']'.repeat(100)}`)
    expect(() => functionPackage(shallow)).not.toThrow()
    let error: unknown
    const deeper = (depth: number): void => {
      // Less and less of the stack is left, until what looks at the function has not enough.
      try {
        functionPackage(fn)
      } catch (thrown) {
        error = thrown
        return
      }
      if (depth < 10_000) deeper(depth + 1)
    }
    deeper(0)
    expect(error).toMatchObject({ code: 'denied' })
  })
})

describe('P46 the globals that a function may use are there in every Node that runs it', () => {
  const nodes = [process.execPath, oldestNode()].filter(node => node !== undefined)
  const code = 'console.log(JSON.stringify(Object.getOwnPropertyNames(globalThis)))'

  it.for(nodes)('P46 %s', (node, { lab }) => {
    const told = execFileSync(node, [lab.program({ 'globals.mjs': code })], { encoding: 'utf8' })
    const all = JSON.parse(told) as string[]
    expect(NODE_GLOBALS.filter(name => !all.includes(name))).toEqual([])
    if (node === oldestNode()) expect(all.filter(name => !isGlobal(name))).toEqual([])
  })
})
