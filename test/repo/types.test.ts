import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { declarations } from '../support/build.ts'
import { read, root } from './sources.ts'

/** Somebody's project, in which the package is installed as npm packs it. */
const project = mkdtempSync(path.join(tmpdir(), 'wat-types-'))
const main = path.join(project, 'main.ts')
afterAll(() => rmSync(project, { recursive: true, force: true }))
beforeAll(() => {
  declarations()
  const installed = path.join(project, 'node_modules/wat-vm')
  mkdirSync(installed, { recursive: true })
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', project]
  const tarball = execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim()
  execFileSync('tar', ['xzf', path.join(project, tarball), '-C', installed, '--strip-components=1'])
  for (const types of ['@types/node', 'undici-types']) {
    cpSync(path.join(root, 'node_modules', types), path.join(project, 'node_modules', types), {
      recursive: true,
    })
  }
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }')
  writeFileSync(main, use)
}, 120_000)

/** What a user may write; a line below `@ts-expect-error` must not compile. */
const use = `
import * as wat from 'wat-vm'
import { connect, listen, serve, self, spawnProcess, spawnRemote, spawnThread, WatError } from 'wat-vm'
import { createChannel, type ChannelOptions } from 'wat-vm/channel'
import { parse, Reader, type ReaderOptions } from 'wat-vm/edn'
import { fromJsedn, toJsedn } from 'wat-vm/jsedn'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}

// The types of a handler reach the function's Process.
const scaled = spawnProcess(({ serve }, { k }) => serve((n: number) => n * k), { given: { k: 2 } })
same<typeof scaled, wat.Process<number, number>>(true)
// @ts-expect-error a text is no number
scaled.call('x')
const measured = spawnThread(async ({ serve }) => {
  const offset = await Promise.resolve(1)
  return serve(async (text: string) => text.length + offset)
})
same<typeof measured, wat.Process<string, number>>(true)
const afar = spawnRemote(({ serve }) => serve((n: bigint) => String(n)), { at: 'tcp://there:1' })
same<typeof afar, wat.Process<bigint, string>>(true)
spawnProcess((_, given) => { same<typeof given, { k: number }>(true) }, { given: { k: 2 } })

// Methods, references and streams.
const methods = {
  add: (a: number, b: number) => a + b,
  later: async (text: string) => text.length,
  words: async function* (text: string) { yield* text.split(' ') },
  counter: () => wat.ref((n: number) => n + 1),
  total: async (items: AsyncIterable<number>, to: wat.Ref<number, void>) => { for await (const n of items) await to.call(n) },
  id: wat.withRequest((request, n: number) => [request.id, n] as const),
  version: 1,
}
const remote = wat.proxy<typeof methods>(wat.ref(methods))
same<ReturnType<typeof remote.add>, Promise<number>>(true)
same<Parameters<typeof remote.add>, [a: number, b: number]>(true)
same<ReturnType<typeof remote.later>, Promise<number>>(true)
same<ReturnType<typeof remote.words>, Promise<wat.Receiver<string>>>(true)
same<ReturnType<typeof remote.counter>, Promise<wat.Ref<number, number>>>(true)
same<Parameters<typeof remote.id>, [n: number]>(true)
// @ts-expect-error no method
remote.version
// @ts-expect-error a text is no number
void remote.add('x', 1)
const squares = spawnProcess(({ serve }) => serve(async function* (n: number) { yield n * n }))
same<typeof squares, wat.Process<number, wat.Receiver<number>>>(true)
void scaled.call(1, { lazy: true }).then(reply => { same<typeof reply, wat.Unread<number>>(true); same<ReturnType<typeof reply.read>, number>(true) })
void scaled.call(wat.unread(1))
// @ts-expect-error a text is no number
void scaled.call(wat.unread('x'))
void serve((body: wat.Unread<number>, request) => { same<ReturnType<typeof body.read>, number>(true); return request.forward(scaled) }, { lazy: true })
const through = wat.ref((body: wat.Unread<number>, request: wat.Request) => request.forward(scaled, { timeout: 5 }), { lazy: true })
same<Parameters<typeof through.call>[0], number | wat.Unread<number>>(true)
same<Awaited<ReturnType<typeof through.call>>, number>(true)
const relayed = wat.ref(squares)
same<typeof relayed, wat.Ref<number, wat.Receiver<number>>>(true)

// What cannot be inferred is any, and what is said goes.
same<ReturnType<typeof spawned>, wat.Process<any, any>>(true)
function spawned() { return spawnProcess('./double.ts') }
same<typeof said, wat.Process<number, string>>(true)
const said = spawnProcess<number, string>('./double.ts')
const awaited = spawnProcess<number, number>(async ({ serve }) => { await serve((n: number) => n * 2) })
same<typeof awaited, wat.Process<number, number>>(true)
const there = connect<number, number>('unix:./s', { tls: { ca: 'x', servername: 'y' } })
same<typeof there, wat.Process<number, number>>(true)
void listen<number, number>('unix:./s', n => n * 2, { tls: { key: 'k', cert: new Uint8Array() } })
const nothing: Promise<void> = serve((n: number) => n * 2)

// The data of a WatError follows its code.
export function told(error: unknown): unknown {
  if (!(error instanceof WatError)) return error
  same<typeof error.code, wat.WatCode>(true)
  if (error.code === 'offline') {
    same<typeof error.data.exit.code, number | undefined>(true)
    return error.data.exit.signal?.startsWith('SIG')
  }
  // @ts-expect-error only an offline tells of an exit
  void error.data.exit
  switch (error.code) {
    case 'timeout': return error.data?.timeout?.toFixed()
    case 'too-large': return error.data?.maxFrame?.toFixed()
    case 'malformed': return error.data?.line?.toFixed()
    case 'encode': return error.data?.path?.length
    default: return error.cause
  }
}
class Mine extends WatError { constructor() { super('denied', 'mine', { cause: 1 }) } }
const made: WatError = new WatError('denied', 'no')
same<WatError<'offline'>['code'], 'offline'>(true)
void scaled.call(1).catch((error: WatError) => error.code === 'offline' && error.data.exit.code)

// Options take undefined for absent.
void scaled.call(1, { timeout: undefined, signal: undefined })
spawnProcess('x', { name: undefined, cwd: undefined, env: { A: undefined }, stopGrace: undefined })
const options: [ChannelOptions, ReaderOptions] = [{ bytes: undefined }, { maxFrame: undefined }]
const sent: boolean = scaled.signal('SIGUSR1')
void self.signal.aborted
void [nothing, Mine, made, options, sent, new Reader(), parse, createChannel, toJsedn, fromJsedn]
`

const modules = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler },
}
const libraries = [undefined, ['es2022'], ['es2024'], ['esnext']]

describe.each(Object.entries(modules))('the declarations, with module resolution %s', (_, resolution) => {
  test.each(libraries)(
    'P74 compile without skipLibCheck, with Node’s types and without: lib %s',
    lib => {
      for (const types of [[], ['node']])
        expect(errors({ ...resolution, types }, lib), String(types)).toEqual([])
    },
    60_000,
  )
})

describe('the package', () => {
  test('P74 shows no names but those that are meant for its users', async () => {
    const exported: object = await import(/* @vite-ignore */ path.join(root, 'dist/core.js'))
    expect(Object.keys(exported).filter(name => !/^[a-zA-Z]+$/.test(name))).toEqual([])
  })

  test('P74 has every key of its package.json once, and no dependency that nothing imports', () => {
    const seen = new Map<string, string>()
    const visit = (node: ts.Expression, at: string): string[] =>
      ts.isObjectLiteralExpression(node)
        ? node.properties.filter(ts.isPropertyAssignment).flatMap(({ name, initializer }) => {
            const key = `${at}/${name.getText(file)}`
            const twice = seen.has(key) ? [key] : []
            seen.set(key, key)
            return [...twice, ...visit(initializer, key)]
          })
        : []
    const file = ts.parseJsonText('package.json', read('package.json'))
    expect(visit(file.statements[0]!.expression, '')).toEqual([])
    expect(read('package.json') + read('package-lock.json')).not.toContain('acorn-walk')
  })
})

/** A file is parsed once for all the programs that have the same of it. */
const parsed = new Map<string, ts.SourceFile | undefined>()

function hostFor(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, how, ...rest) => {
    const key = `${options.module} ${name}`
    if (!parsed.has(key)) parsed.set(key, read(name, how, ...rest))
    return parsed.get(key)
  }
  return host
}

function errors(options: ts.CompilerOptions, lib: string[] | undefined): string[] {
  const all: ts.CompilerOptions = {
    ...options,
    target: ts.ScriptTarget.ES2022,
    ...(lib && { lib: lib.map(name => `lib.${name}.d.ts`) }),
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    typeRoots: [path.join(project, 'node_modules/@types')],
  }
  const program = ts.createProgram([main], all, hostFor(all))
  // What others declare is theirs to check; that ours fits in with it shows in ours and in what is global.
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === main || fileName.includes('/node_modules/wat-vm/'))
  expect(ours.length).toBeGreaterThan(10)
  const found = [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap(file => program.getSemanticDiagnostics(file)),
  ]
  return found.map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    const name = file ? path.relative(project, file.fileName) : ''
    return `${name}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
