import { globSync } from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import fc from 'fast-check'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { parseModule } from '../../runtime/portable/parse.ts'
import { freeNames } from '../../runtime/portable/scope.ts'
import { read, root } from '../repo/sources.ts'

const free = (code: string) => new Set(freeNames(parseModule(code)).map(({ name }) => name))

describe('P46 the free names of real modules are those that the TypeScript compiler cannot find', () => {
  const files = globSync(
    ['runtime/**/*.ts', 'node_modules/eslint-scope/lib/*.js', 'node_modules/acorn/dist/acorn.mjs'],
    { cwd: root, exclude: name => name.endsWith('.d.ts') },
  )
  const modules = new Map<string, string>()
  for (const file of files) {
    const code = read(file)
    modules.set(
      path.join('/', `${file}.mts`),
      file.endsWith('.ts') ? module.stripTypeScriptTypes(code) : code,
    )
  }
  const unknown = unknownNames(modules)

  test('P46 there are enough of them', () => {
    expect(modules.size).toBeGreaterThan(60)
    expect(new Set([...unknown.values()].flatMap(names => [...names])).size).toBeGreaterThan(30)
  })

  test.each([...modules])('P46 %s', (name, code) => {
    expect([...free(code)].filter(one => !KNOWN.has(one)).sort()).toEqual(
      [...(unknown.get(name) ?? [])].sort(),
    )
  })
})

describe('P46 the free names of generated code are those that it was made with', () => {
  test('P46 whatever declares a name around a use of it', () => {
    fc.assert(
      fc.property(code, ({ text, names }) => {
        expect([...free(text)].sort()).toEqual([...names].sort())
      }),
      { numRuns: 2000 },
    )
  })
})

interface Code {
  text: string
  /** What is free in it. */
  names: Set<string>
}

const name = fc.constantFrom('a', 'b', 'c', 'd')

/** `#` stands for the name, `@` for code in which it is declared. */
const DECLARING = [
  '{ const # = 0; @ }',
  '{ @ let # }',
  '{ @ class # {} }',
  '{ @ function #() {} }',
  '(() => { { @ } { var # } });',
  '(() => { for (var # of []); @ });',
  'for (const # of []) { @ }',
  'for (let # = 0; ; ) { @ }',
  'for (const { x: [#] } of []) { @ }',
  '{ using # = null; @ }',
  '(async () => { await using # = null; @ });',
  'try {} catch (#) { @ }',
  'try {} catch ({ x: # = 1 }) { @ }',
  '(# => { @ });',
  '(async (...#) => { @ });',
  '(({ # = 1 }) => { @ });',
  '(({ x: [, #] }) => { @ });',
  '((x, y = () => { @ }, # = 1) => 0);',
  '(function #() { @ });',
  '({ x(#) { @ } });',
  '({ set x(#) { @ } });',
  '(class # { static { @ } });',
  '(class # { x = () => { @ } });',
  '(class { x(#) { @ } });',
  'switch (1) { case 1: let #; default: @ }',
]

/** What looks like a declaration or a use, and is none that matters to the code in it. */
const INDIFFERENT = [
  '{ let x = 0; @ x.# }',
  '({ # : 1, x: () => { @ } });',
  '({ #() { @ } });',
  '({ get #() { @ } });',
  '(class { #() { @ } });',
  '(class { # = () => { @ } });',
  '(class { static #; static { @ } });',
  '{ { let # } { (function #() {}); (class # {}) } @ }',
  '{ (# => 0); try {} catch (#) {} for (let # of []); @ }',
  '((x = () => { @ }) => { var # });',
  'typeof #; @',
]

const USING = [
  '#;',
  '# = 1;',
  '[#] = [];',
  '({ # } = {});',
  '({ # });',
  'x: for (;;) #[0];',
  '(() => `${#}`);',
]

const code: fc.Arbitrary<Code> = fc.letrec<{ code: Code }>(tie => ({
  code: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    fc.tuple(fc.constantFrom(...USING), name).map(([pattern, name]) => ({
      text: pattern.replaceAll('#', name),
      names: new Set([name]),
    })),
    fc.tuple(tie('code'), tie('code')).map(([a, b]) => ({
      text: `{ ${a.text} } { ${b.text} }`,
      names: a.names.union(b.names),
    })),
    fc.tuple(fc.constantFrom(...DECLARING), name, tie('code')).map(([pattern, name, { text, names }]) => ({
      text: filled(pattern, name, text),
      names: names.difference(new Set([name])),
    })),
    fc.tuple(fc.constantFrom(...INDIFFERENT), name, tie('code')).map(([pattern, name, { text, names }]) => ({
      text: filled(pattern, name, text),
      names,
    })),
  ),
})).code

function filled(pattern: string, name: string, code: string): string {
  return pattern.replaceAll('#', name).replace('@', () => `{ ${code} }`)
}

/** What the compiler knows without a library. */
const KNOWN = new Set(['undefined', 'globalThis'])

/** The names that TypeScript says it cannot find, by file, with none of its libraries. */
function unknownNames(modules: Map<string, string>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  const host: ts.CompilerHost = {
    fileExists: file => modules.has(file),
    readFile: file => modules.get(file),
    getSourceFile: (file, language) => {
      const text = modules.get(file)
      return text === undefined ? undefined : ts.createSourceFile(file, text, language)
    },
    getDefaultLibFileName: () => '',
    writeFile: () => {},
    getCurrentDirectory: () => '/',
    getCanonicalFileName: file => file,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
  }
  const options = { noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ESNext }
  const program = ts.createProgram([...modules.keys()], options, host)
  for (const file of modules.keys()) {
    const source = program.getSourceFile(file)
    const names = program
      .getSemanticDiagnostics(source)
      .filter(({ messageText }) => /^Cannot find name |^No value exists in scope /.test(flat(messageText)))
      .filter(({ start = 0 }) => !/\btypeof\s*$/.test(source?.text.slice(0, start) ?? ''))
      .map(({ start = 0, length = 0 }) => source?.text.slice(start, start + length) ?? '')
      .filter(found => !found.startsWith("'")) // a module of Node, by its specifier
    found.set(file, new Set(names))
  }
  return found
}

function flat(message: string | ts.DiagnosticMessageChain): string {
  return typeof message === 'string' ? message : message.messageText
}
