import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts } from '../support/lab.ts'
import { oldestNode, repository } from '../support/machine.ts'

const double = ts`
  import { serve } from 'wat-vm'
  await serve((n: number) => n * 2)`
const doubleJs = double.replace(': number', '')

describe('a program', () => {
  it('P16 runs from a folder with no node_modules near it', async ({ lab }) => {
    expect(await lab.facts(lab.program(double), { input: '21' })).toEqual([42])
  })

  const files = {
    'program.ts': double,
    'program.mts': double,
    'program.js': doubleJs,
    'program.mjs': doubleJs,
    'program.cjs': ts`
      const { serve } = require('wat-vm')
      serve(n => n * 2)`,
    'program.cts': ts`
      const { serve } = require('wat-vm')
      serve((n: number) => n * 2)`,
    'a b/ünï ☃ $x #y %20?z.ts': double,
    "it's/pro;gram & more.ts": double,
    '-dash.ts': double,
  }
  for (const [name, source] of Object.entries(files)) {
    const can = !(name.endsWith('.cts') && process.versions.node.startsWith('22.'))
    it.skipIf(!can)(`P16 runs as ${name}, also as a child`, async ({ lab }) => {
      const program = lab.program({ [name]: source })
      expect(await lab.facts(program, { input: '21' })).toEqual([42])
      const parent = lab.program(ts`
        import { println, self, spawnProcess } from 'wat-vm'
        import { pathToFileURL } from 'node:url'
        const one = spawnProcess(self.args[0])
        const two = spawnProcess(pathToFileURL(self.args[0]))
        await println([await one.call(1), await two.call(2)])`)
      expect(await lab.facts(parent, { args: [program] })).toEqual([[2, 4]])
    })
  }

  it('P16 a .ts file is a module in a folder that package.json says is CommonJS, or that has no type', async ({
    lab,
  }) => {
    for (const json of ['{"type":"commonjs"}', '{}', '{"type":"module"}']) {
      const program = lab.program({ 'program.ts': double, 'package.json': json })
      expect(await lab.run(program, { input: '21' })).toEqual({
        code: 0,
        signal: null,
        stdout: '42\n',
        stderr: '',
      })
    }
  })

  it('P16 a .js file that imports is a module in a folder without a type', async ({ lab }) => {
    const program = lab.program({ 'program.js': doubleJs, 'package.json': '{}' })
    expect(await lab.run(program, { input: '21' })).toEqual({
      code: 0,
      signal: null,
      stdout: '42\n',
      stderr: '',
    })
  })

  it('P16 TypeScript runs below node_modules too', async ({ lab }) => {
    const program = lab.program({
      'node_modules/dep/program.ts': ts`import './other.ts'; ${double}`,
      'node_modules/dep/other.ts': ts`export type T = number; export const x: T = 1`,
      'node_modules/dep/package.json': '{"type":"module"}',
    })
    expect(await lab.facts(program, { input: '21' })).toEqual([42])
  })

  it('P16 imports another .ts by a relative path, types only, JSON and a package of its own', async ({
    lab,
  }) => {
    const program = lab.program({
      'program.ts': ts`
        import { serve, type Request } from 'wat-vm'
        import type { Input } from './types.ts'
        import { twice } from './lib/twice.ts'
        import dep from 'dep'
        import data from './data.json' with { type: 'json' }
        await serve((input: Input, _request: Request) => [twice(input.n), dep, data.x])`,
      'types.ts': ts`export interface Input { n: number }`,
      'lib/twice.ts': ts`export const twice = (n: number): number => n * 2`,
      'data.json': '{"x":3}',
      'node_modules/dep/index.js': 'module.exports = 7',
    })
    expect(await lab.facts(program, { input: '{:n 21}' })).toEqual([[42, 7, 3]])
  })

  // Node 22 does not ask module hooks about what an imported CommonJS module requires (docs/caveats.md).
  const asked = it.skipIf(process.versions.node.startsWith('22.'))
  asked('P16 what it imports gets the same running runtime, also through require', async ({ lab }) => {
    const program = lab.program({
      'program.ts': ts`
        import * as wat from 'wat-vm'
        import * as edn from 'wat-vm/edn'
        import other from './other.cjs'
        await wat.println([other.serve === wat.serve, other.kw === edn.kw, edn.kw('a') === wat.kw('a')])`,
      'other.cjs': ts`
        exports.serve = require('wat-vm').serve
        exports.kw = require('wat-vm/edn').kw`,
    })
    expect(await lab.facts(program)).toEqual([[true, true, true]])
  })

  it('P16 an installed wat-vm near the program does not win over the running one', async ({ lab }) => {
    const program = lab.program({
      'program.ts': double,
      'node_modules/wat-vm/package.json': '{"name":"wat-vm","type":"module","exports":"./index.js"}',
      'node_modules/wat-vm/index.js': 'throw new Error("the wrong one")',
    })
    expect(await lab.facts(program, { input: '21' })).toEqual([42])
  })

  it('P16 wat-vm/jsedn resolves too', async ({ lab }) => {
    const program = lab.program(ts`
      import * as jsedn from 'wat-vm/jsedn'
      import { println } from 'wat-vm'
      await println(Object.keys(jsedn).length > 0)`)
    expect(await lab.facts(program)).toEqual([true])
  })

  it('P16 a default-exported function is its main: awaited, and given the runtime', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      await println('top')
      export default async function main({ println }: typeof import('wat-vm')) {
        await new Promise(resolve => setTimeout(resolve, 100))
        await println('main')
      }`)
    expect(await lab.facts(program)).toEqual(['top', 'main'])
  })

  it('P16 a default-exported function that throws is a panic', async ({ lab }) => {
    const program = lab.program(ts`export default async () => { throw new Error('main failed') }`)
    const outcome = await lab.run(program)
    expect(outcome.code).toBe(2)
    expect(outcome.stderr).toMatch(/#wat\/panic .*"main failed"/)
  })

  it('P16 import.meta is that of the program; argv is as Node has it; self tells who it is', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self } from 'wat-vm'
      await println([import.meta.filename, import.meta.dirname, process.argv.slice(1)])
      await println([self.address, self.name, self.args, self.signal.aborted])`)
    const [meta, who] = await lab.facts(program, { args: ['--help', 'x y', ''] })
    expect(meta).toEqual([program, path.dirname(program), [program, '--help', 'x y', '']])
    expect(who).toEqual(['/', 'program', ['--help', 'x y', ''], false])
  })

  it('P16 a relative path starts at the working directory, and the directory stays', async ({ lab }) => {
    const folder = path.dirname(
      lab.program(ts`
      import { println } from 'wat-vm'
      await println(process.cwd())`),
    )
    expect(await lab.facts('program.ts', { cwd: folder })).toEqual([folder])
    expect(await lab.facts('./program.ts', { cwd: folder })).toEqual([folder])
  })

  it('P16 a program behind a symbolic link runs', async ({ lab }) => {
    const program = lab.program({ 'program.ts': ts`import './next.ts'; ${double}`, 'next.ts': '' })
    const link = path.join(lab.folder(), 'link.ts')
    symlinkSync(program, link)
    expect(await lab.facts(link, { input: '21' })).toEqual([42])
  })

  it('P16 wat itself runs from behind a link, as npm installs it, and from a folder with spaces', async ({
    lab,
  }) => {
    const home = path.join(lab.folder(), 'a folder ☃')
    mkdirSync(path.join(home, 'node_modules/.bin'), { recursive: true })
    symlinkSync(repository, path.join(home, 'node_modules/wat-vm'))
    symlinkSync('../wat-vm/bin/wat', path.join(home, 'node_modules/.bin/wat'))
    writeFileSync(path.join(home, 'double.ts'), double)
    const live = lab.command(path.join(home, 'node_modules/.bin/wat'), [path.join(home, 'double.ts')])
    expect(await live.end('21')).toEqual({ code: 0, signal: null, stdout: '42\n', stderr: '' })
  })

  it('P16 nothing of WAT_* is visible to a child program nor to what it starts', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { env: { MINE: '1' } })
        await println(await child.call(null))`,
      'child.ts': ts`
        import { execFileSync } from 'node:child_process'
        import { serve } from 'wat-vm'
        const names = (list: string[]) => list.filter(name => /^WAT_/.test(name))
        await serve(() => [
          names(Object.keys(process.env)),
          names(execFileSync('env', { encoding: 'utf8' }).split('\n')),
          process.env.MINE,
        ])`,
    })
    expect(await lab.facts(program)).toEqual([[[], [], '1']])
  })

  it.skipIf(!oldestNode())(
    'P16 the oldest Node that is promised runs it, children and all',
    async ({ lab }) => {
      const bin = lab.folder()
      copyFileSync(oldestNode()!, path.join(bin, 'node'))
      const program = lab.program({
        'parent.ts': ts`
        import { println, serve, spawnProcess } from 'wat-vm'
        const child = spawnProcess<number, number>(new URL('./double.ts', import.meta.url))
        await serve(async (n: number) => [process.version, await child.call(n)])`,
        'double.ts': double,
      })
      const outcome = await lab.run(program, { input: '21', env: { PATH: bin + ':' + process.env.PATH } })
      expect(outcome).toEqual({ code: 0, signal: null, stdout: '["v22.18.0" 42]\n', stderr: '' })
    },
  )
})
