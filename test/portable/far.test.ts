import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { filePackage } from '../../runtime/portable/file.ts'
import { functionPackage } from '../../runtime/portable/function.ts'
import { PackageFiles, type Package } from '../../runtime/portable/package-files.ts'
import { describe, expect, it, type Lab } from '../support/lab.ts'
import { oldestNode, repository } from '../support/machine.ts'
import { evaluated } from './functions.ts'

/** A process that has the package and nothing else: it prints what the program exports by default. */
const FAR = `
import module from 'node:module'
import { readFileSync } from 'node:fs'
import { PackageFiles } from '${pathToFileURL(path.join(repository, 'runtime/portable/package-files.ts')).href}'
const pkg = JSON.parse(readFileSync(0, 'utf8'))
const files = new PackageFiles(pkg)
module.registerHooks({
  resolve(specifier, context, next) {
    const url = files.resolve(specifier, context.parentURL)
    return url ? { url, shortCircuit: true } : next(specifier, context)
  },
  load(url, context, next) {
    const found = files.source(url)
    return found ? { ...found, shortCircuit: true } : next(url, context)
  },
})
const { default: main } = await import(pkg.main)
const runtime = { serve: handler => handler(1) }
console.log(JSON.stringify(typeof main === 'function' ? await main(runtime, { k: 2 }) : main))
`

async function far(lab: Lab, node: string, pkg: Package): Promise<unknown> {
  const script = lab.program({ 'far.mjs': FAR })
  const outcome = await lab.command(node, ['--no-warnings', script], {}).end(JSON.stringify(pkg))
  if (outcome.code !== 0) throw new Error(outcome.stderr)
  return JSON.parse(outcome.stdout)
}

const nodes = [process.execPath, oldestNode()].filter(node => node !== undefined)

describe.for(nodes)('P47 a package runs where its folder is not: %s', node => {
  it('P47 every kind of file and import', async ({ lab }) => {
    const main = lab.program({
      'main.ts': `#!/usr/bin/env wat
        import data from './data.json' with { type: 'json' }
        import { b, url } from './sub/b.mts?v=1'
        import again from './main.ts'
        import os from 'node:os'
        const c: string = (await import('./c.mjs')).default
        const d = await import(new URL('./d.js', import.meta.url).href)
        export default [data.x, b, c, d.default, typeof os.cpus, url, import.meta.url, import.meta.dirname]
        export { again }`,
      'data.json': '{ "x": 1 }',
      'sub/b.mts':
        "export const b: number = 2\nexport { default as c } from '../c.mjs'\nexport const url = import.meta.url",
      'c.mjs': "export default 'c'",
      'd.js': "export default 'd'",
    })
    const folder = path.dirname(main)
    const pkg = filePackage(pathToFileURL(main).href)
    rmSync(folder, { recursive: true })
    const url = (name: string) => pathToFileURL(path.join(folder, name)).href
    expect(await far(lab, node, pkg)).toEqual([
      1,
      2,
      'c',
      'd',
      'function',
      `${url('sub/b.mts')}?v=1`,
      url('main.ts'),
      folder,
    ])
  })

  it('P47 by way of links, one file is one module', async ({ lab }) => {
    const main = lab.program({
      'real/main.ts': `
        import a from './link.ts'
        import b from '../other/state.ts'
        export default [a === b, a.url, import.meta.url]`,
      'real/state.ts': 'export default { url: import.meta.url }',
    })
    const root = path.dirname(path.dirname(main))
    symlinkSync('state.ts', path.join(root, 'real/link.ts'))
    symlinkSync('real', path.join(root, 'other'))
    const pkg = filePackage(pathToFileURL(path.join(root, 'other/main.ts')).href)
    const url = (name: string) => pathToFileURL(path.join(root, name)).href
    const here = [true, url('real/state.ts'), url('real/main.ts')]
    expect(await far(lab, node, { main: url('other/main.ts'), files: {} })).toEqual(here)
    renameSync(root, `${root}-gone`)
    expect(await far(lab, node, pkg)).toEqual(here)
    rmSync(`${root}-gone`, { recursive: true })
  })

  it('P47 below node_modules, where Node strips no types', async ({ lab }) => {
    const main = lab.program({
      'node_modules/x/main.ts': "import b from './b.mts'; export default b as number",
      'node_modules/x/b.mts': 'export default 1 satisfies number',
    })
    const pkg = filePackage(pathToFileURL(main).href)
    rmSync(path.dirname(main), { recursive: true })
    expect(await far(lab, node, pkg)).toBe(1)
  })

  it('P46 a function', async ({ lab }) => {
    const fn = evaluated("async ({ serve }, { k }) => [serve(n => n + k), (await import('node:path')).sep]")
    expect(await far(lab, node, functionPackage(fn))).toEqual([3, path.sep])
  })
})

describe('P47 the files of a package as a loader asks for them', () => {
  const files = new PackageFiles({
    main: 'file:///p/a.ts',
    files: { 'file:///p/a.ts': 'a', 'file:///p/b.json': '{}', 'file:///p/c.txt': 'c', 'file:///p/d.js': 'd' },
    links: { 'file:///l/a.ts': 'file:///p/a.ts' },
  })

  it.for<[specifier: string, parent: string | undefined, url: string | undefined]>([
    ['file:///p/a.ts', undefined, 'file:///p/a.ts'],
    ['./a.ts', 'file:///p/d.js', 'file:///p/a.ts'],
    ['./a.ts?x#y', 'file:///p/d.js?z', 'file:///p/a.ts?x#y'],
    ['../p/a.ts', 'file:///q/d.js', 'file:///p/a.ts'],
    ['/p/a.ts', 'file:///q/d.js', 'file:///p/a.ts'],
    ['../l/a.ts?x', 'file:///p/d.js', 'file:///p/a.ts?x'],
    ['./c.txt', 'file:///p/d.js', 'file:///p/c.txt'],
    ['./e.ts', 'file:///p/d.js', undefined],
    ['./a.ts', undefined, undefined],
    ['./a.ts', 'data:text/javascript,', undefined],
    ['a.ts', 'file:///p/d.js', undefined],
    ['wat-vm', 'file:///p/d.js', undefined],
    ['node:fs', 'file:///p/d.js', undefined],
    ['__proto__', 'file:///p/d.js', undefined],
  ])('P47 %s from %s is %s', ([specifier, parent, url]) => {
    expect(files.resolve(specifier, parent)).toBe(url)
  })

  it('P47 each as what it is', () => {
    expect(files.source('file:///p/a.ts?x')).toEqual({ format: 'module-typescript', source: 'a' })
    expect(files.source('file:///p/b.json')).toEqual({ format: 'json', source: '{}' })
    expect(files.source('file:///p/d.js#x')).toEqual({ format: 'module', source: 'd' })
    expect(files.source('file:///p/c.txt')).toBeUndefined() // text, and no module
    expect(files.source('file:///p/e.ts')).toBeUndefined()
    expect(existsSync('/p')).toBe(false)
  })
})
