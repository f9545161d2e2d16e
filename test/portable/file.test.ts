import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse, stringify } from '../../runtime/edn/index.ts'
import { filePackage } from '../../runtime/portable/file.ts'
import type { Package } from '../../runtime/portable/package-files.ts'
import { describe, expect, it } from '../support/lab.ts'
import { refused } from './functions.ts'

const packed = (file: string) => filePackage(pathToFileURL(file).href)

/** Its files by their paths from the folder of the entry. */
function namesOf({ main, files }: Package): string[] {
  const folder = new URL('.', main).href
  return Object.keys(files)
    .map(url => url.replace(folder, ''))
    .sort()
}

describe('P47 a package holds the program and everything of its own', () => {
  it('P47 imports and exports of every kind, and what is imported from there', ({ lab }) => {
    const main = lab.program({
      'a.ts':
        "import './b.ts'; import * as c from './sub/c.mjs'; export * from './d.js'; export { e } from './e.mts'",
      'b.ts': "import data from './data.json' with { type: 'json' }",
      'sub/c.mjs': "await import('../f.ts'); import(`../g.ts`)",
      'd.js': "export * as h from './h.ts?v=1#x'",
      'e.mts': 'export const e: number = 1',
      'f.ts': "import './a.ts'",
      'g.ts': "import type { T } from './types.ts'; export const g = 1 as T",
      'h.ts': 'export {}',
      'types.ts': 'export type T = number',
      'data.json': '{}',
      'unused.ts': '',
    })
    const { files, ...more } = packed(main)
    expect(namesOf({ files, ...more })).toEqual(
      ['a.ts', 'b.ts', 'd.js', 'data.json', 'e.mts', 'f.ts', 'g.ts', 'h.ts', 'sub/c.mjs'].sort(),
    )
    expect(more).toEqual({ main: pathToFileURL(main).href })
    expect(files[more.main]).toContain("import './b.ts'")
  })

  it('P47 programs and texts that it names by a URL of its own, and what they import', ({ lab }) => {
    const main = lab.program({
      'a.ts': `
        const urls = [new URL('./child.ts', import.meta.url), new URL(\`text.txt\`, import.meta.url)]
        import.meta.resolve('./other.ts')
        new URL('./none.ts', import.meta.url), new URL('.', import.meta.url), new URL('./binary', import.meta.url)
        new URL('./not-ours.txt', urls[0]), new URL('https://example.org/not-ours.txt', import.meta.url)
        new URL('/etc/passwd', import.meta.url), new URL('${path.sep}etc/hosts', import.meta.url)`,
      'child.ts': "import './shared.ts'",
      'other.ts': '',
      'shared.ts': '',
      'text.txt': 'é',
      'not-ours.txt': '',
    })
    writeFileSync(path.join(path.dirname(main), 'binary'), Buffer.from([0xff, 0xfe]))
    expect(namesOf(packed(main))).toEqual(['a.ts', 'child.ts', 'other.ts', 'shared.ts', 'text.txt'])
  })

  it('P47 what the far side has stays where it is', ({ lab }) => {
    const main = lab.program(
      "import 'wat-vm'; import 'wat-vm/edn'; import 'wat-vm/jsedn'; import 'wat-vm/channel'; import 'fs'; " +
        "import 'node:sqlite'; import 'fs/promises'; import 'data:text/javascript,'; import(name)",
    )
    expect(namesOf(packed(main))).toEqual(['program.ts'])
  })

  it('P47 it is data that EDN carries', ({ lab }) => {
    const { files } = packed(lab.program({ 'a b%.ts': "import './é.ts'", 'é.ts': '"\\u{1f600}\\0😀"' }))
    const sent = new Map(Object.entries(files)) // as an object's field a URL would be a keyword
    expect(sent.size).toBe(2)
    expect(new Map(parse(stringify(sent)) as Map<string, string>)).toEqual(sent)
  })

  it('P47 files have the URLs that Node gives them, whatever links lead there', ({ lab }) => {
    const main = lab.program({
      'real/a.ts': "import '../link/b.ts'; import './c.ts'",
      'real/b.ts': '',
      'd.ts': '',
    })
    const root = path.dirname(path.dirname(main))
    symlinkSync(path.join(root, 'real'), path.join(root, 'link'))
    symlinkSync(path.join(root, 'd.ts'), path.join(root, 'real/c.ts'))
    const url = (name: string) => pathToFileURL(path.join(root, name)).href
    const pkg = packed(path.join(root, 'link/a.ts'))
    expect(pkg.main).toBe(url('real/a.ts'))
    expect(Object.keys(pkg.files).sort()).toEqual([url('d.ts'), url('real/a.ts'), url('real/b.ts')])
    expect(pkg.links).toEqual({
      [url('link/a.ts')]: url('real/a.ts'),
      [url('link/b.ts')]: url('real/b.ts'),
      [url('real/c.ts')]: url('d.ts'),
    })
  })
})

describe('P47 what cannot be sent is refused, with who imports what', () => {
  const refusals: [name: string, files: Record<string, string>, message: RegExp][] = [
    [
      'a package',
      { 'a.ts': "\n  import x from 'lodash'" },
      /a\.ts:2:3 imports the package `lodash`.*send: false/,
    ],
    [
      'a package in a package',
      { 'a.ts': "import './b.ts'", 'b.ts': "import '@x/y/z'" },
      /b\.ts:1:1 .*`@x\/y\/z`/,
    ],
    ['an unknown part of ours', { 'a.ts': "import 'wat-vm/nope'" }, /the package `wat-vm\/nope`/],
    ['a name of its package', { 'a.ts': "import '#x'" }, /the package `#x`/],
    ['a package on demand', { 'a.ts': "const f = () => import('x')" }, /a\.ts:1:17 imports the package `x`/],
    [
      'a missing file',
      { 'a.ts': "export * from './no.ts'" },
      /a\.ts:1:1 imports `\.\/no\.ts`, which is no file/,
    ],
    [
      'a name without its ending',
      { 'a.ts': "import './b'", 'b.ts': '' },
      /imports `\.\/b`, which is no file/,
    ],
    ['a folder', { 'a.ts': "import './b/'", 'b/index.ts': '' }, /imports `\.\/b\/`, which is no file/],
    ['the folder itself', { 'a.ts': "import '.'", 'index.ts': '' }, /imports `\.`, which is no file/],
    ['an encoded slash', { 'a.ts': "import './b%2fc.ts'", 'b/c.ts': '' }, /which is no file/],
    ['CommonJS by name', { 'a.ts': "import './b.cjs'", 'b.cjs': '' }, /b\.cjs is CommonJS/],
    ['CommonJS in TypeScript', { 'a.ts': "import './b.cts'", 'b.cts': '' }, /b\.cts is CommonJS/],
    ['CommonJS by what it does', { 'a.js': "module.exports = require('fs')" }, /a\.js is CommonJS/],
    ['CommonJS that exports', { 'a.js': 'exports.a = 1' }, /a\.js is CommonJS/],
    ['CommonJS that exports more', { 'a.js': 'module.exports.a = 1' }, /a\.js is CommonJS/],
    [
      'a module that requires',
      {
        'a.ts': `import module from 'node:module'
          const require = module.createRequire(import.meta.url); require('node:fs'); require('./b.cjs')`,
      },
      /a\.ts:2:86 requires `\.\/b\.cjs`/,
    ],
    [
      'what Node cannot run',
      { 'a.ts': "import './b.txt'", 'b.txt': '' },
      /a\.ts:1:1 imports .*b\.txt, which is no/,
    ],
    ['wrong syntax', { 'a.ts': "import './b.mjs'", 'b.mjs': '\n let let' }, /b\.mjs:2:6 cannot be parsed/],
    ['types that do something', { 'a.ts': 'enum A { B }' }, /a\.ts:1:1 cannot be parsed: .*enum/],
    ['data as a program', { 'a.json': '{}' }, /a\.json is no JavaScript or TypeScript/],
  ]

  it.for(refusals)('P47 %s', ([, files, message], { lab }) => {
    const main = lab.program(files)
    const error = refused(() => packed(main))
    expect(error).toMatchObject({ code: 'denied' })
    expect(error.message).toMatch(message)
  })

  it('P47 a program that is not there, and one that is a folder', ({ lab }) => {
    const folder = lab.folder()
    mkdirSync(path.join(folder, 'x.ts'))
    for (const name of ['no.ts', 'x.ts']) {
      const error = refused(() => packed(path.join(folder, name)))
      expect(error).toMatchObject({ code: 'denied', message: expect.stringContaining('no such program') })
    }
  })

  it('P47 more bytes or more files than may be sent', ({ lab }) => {
    const big = lab.program({ 'a.ts': "import './b.ts'", 'b.ts': '' })
    truncateSync(path.join(path.dirname(big), 'b.ts'), 9 * 1024 * 1024)
    expect(refused(() => packed(big))).toMatchObject({ code: 'too-large' })

    const names = Array.from({ length: 1000 }, (_, index) => `${index}.js`)
    const many = lab.program({
      'a.js': names.map(name => `import './${name}'`).join('\n'),
      ...Object.fromEntries(names.map(name => [name, ''])),
    })
    expect(refused(() => packed(many))).toMatchObject({ code: 'too-large' })
  })

  it('P47 but a large text that it only names is left out', ({ lab }) => {
    const main = lab.program({ 'a.ts': "new URL('./b.txt', import.meta.url)", 'b.txt': '' })
    truncateSync(path.join(path.dirname(main), 'b.txt'), 2 * 1024 * 1024)
    expect(namesOf(packed(main))).toEqual(['a.ts'])
  })
})
