import fs from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { placeHere } from '../portable/here.ts'
import { PackageFiles, type Package } from '../portable/package-files.ts'

/** Given to a program's graph as its last import: it is evaluated when everything has been loaded. */
const STARTED = 'wat-vm:started'

const entries: Record<string, string> = {
  'wat-vm': new URL('./core.js', import.meta.url).href,
  'wat-vm/edn': new URL('./edn.js', import.meta.url).href,
  'wat-vm/channel': new URL('./channel.js', import.meta.url).href,
  'wat-vm/jsedn': new URL('./jsedn.js', import.meta.url).href,
}

export interface Program {
  url: string
  /** Those of its files that are not on this disk; the program itself among them. */
  files?: PackageFiles
}

/** The program a user named: a path, relative to the working directory, or a file URL. */
export function fileProgram(name: string): Program {
  const file = name.startsWith('file:') ? fileURLToPath(name) : absolute(name)
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  if (!stat) throw new Error(`no such program: ${file}`)
  if (!stat.isFile()) throw new Error(`not a file: ${file}`)
  return { url: pathToFileURL(file).href }
}

function absolute(name: string): string {
  try {
    return path.resolve(name)
  } catch (cause) {
    throw new Error(`no such program: ${name}: the working directory has been removed`, { cause })
  }
}

/** A program that serves one expression, resolved as if it were a file in the working directory. */
export function expressionProgram(expression: string): Program {
  const source = `import * as wat from 'wat-vm'\nconst { kw, spawnProcess, log, self, println, readln } = wat\nawait wat.serve((${expression}\n))\n`
  return textProgram('[eval].mts', source)
}

/** A program that comes as text. */
export function sentProgram(pkg: Package): Program {
  return { url: pkg.main, files: new PackageFiles(pkg) }
}

function textProgram(name: string, source: string): Program {
  const main = pathToFileURL(placeHere(name)).href
  return sentProgram({ main, files: { [main]: source } })
}

/**
 * Runs a program: resolves with its module when the top level has settled. `onStarted` is called when
 * everything it imports has been found, parsed and run, just before its own first line runs.
 */
export async function runProgram(program: Program, onStarted: () => void): Promise<Record<string, unknown>> {
  const hooks = hook(program, onStarted)
  try {
    return (await import(program.url)) as Record<string, unknown>
  } catch (error) {
    throw error instanceof SyntaxError ? withPlace(error, hooks.loading()) : error
  }
}

/** Runs an empty program the same way, so that the first real one finds the way prepared. */
export async function rehearse(): Promise<void> {
  const program = textProgram('[spare].mts', "import 'wat-vm'")
  const hooks = hook(program, () => {})
  await import(program.url)
  hooks.deregister()
}

interface Hooks {
  /** The module that is being loaded, or was last. */
  loading(): string
  deregister(): void
}

function hook(program: Program, onStarted: () => void): Hooks {
  Object.assign(globalThis, { [Symbol.for(STARTED)]: onStarted })
  let loading = program.url
  const load: module.LoadHookSync = (url, context, next) => {
    loading = url
    if (url === STARTED) return startedModule()
    const loaded = loadFile(program, url, context, next)
    return url === program.url ? withStarted(loaded) : loaded
  }
  const registered = module.registerHooks({
    resolve(specifier, context, next) {
      const entry = entries[specifier]
      if (entry) return { url: entry, format: 'module', shortCircuit: true }
      if (specifier === STARTED) return { url: STARTED, format: 'module', shortCircuit: true }
      const own = program.files?.resolve(specifier, context.parentURL)
      return own === undefined ? next(specifier, context) : { url: own, shortCircuit: true }
    },
    // With a hook for loading, Node 22 asks none of them about what a CommonJS module requires.
    ...(/\.c[jt]s$/.test(program.url) ? {} : { load }),
  })
  return { loading: () => loading, deregister: () => registered.deregister() }
}

/**
 * V8 does not say where in a JavaScript module the syntax is wrong, and what it says of an entry may be
 * about the line that was added to it. The TypeScript parser tells of the file as it is.
 */
function withPlace(error: SyntaxError, url: string): unknown {
  if (!url.startsWith('file:')) return error
  try {
    module.stripTypeScriptTypes(fs.readFileSync(new URL(url), 'utf8'), { sourceUrl: url })
  } catch (told) {
    if (told instanceof SyntaxError) return told
  }
  return error
}

type LoadContext = module.LoadHookContext
type Next = (url: string, context?: Partial<LoadContext>) => module.LoadFnOutput

function startedModule(): module.LoadFnOutput {
  const source = `globalThis[Symbol.for(${JSON.stringify(STARTED)})]()`
  return { format: 'module', source, shortCircuit: true }
}

function loadFile(program: Program, url: string, context: LoadContext, next: Next): module.LoadFnOutput {
  const own = program.files?.source(url)
  if (own) return { ...own, shortCircuit: true }
  return isTypeScript(url) ? loadTypeScript(url, context, next) : next(url, context)
}

function withStarted(loaded: module.LoadFnOutput): module.LoadFnOutput {
  if (!loaded.format?.startsWith('module')) return loaded
  // At the end, where it shifts no line and no column of the program.
  return { ...loaded, source: `${text(loaded.source)}\nimport '${STARTED}'\n` }
}

/**
 * Loads TypeScript wherever it lies: Node strips no types below node_modules, and takes a `.ts` file
 * in a package without `"type": "module"` for CommonJS first.
 */
function loadTypeScript(url: string, context: LoadContext, next: Next): module.LoadFnOutput {
  const source = fs.readFileSync(fileURLToPath(url), 'utf8')
  const format = url.endsWith('.cts') || isCommonJs(url, source) ? 'commonjs' : 'module'
  if (!url.includes('/node_modules/')) {
    if (format === 'commonjs') return next(url, { ...context, format: 'commonjs-typescript' })
    return { format: 'module-typescript', source, shortCircuit: true }
  }
  return { format, source: module.stripTypeScriptTypes(source), shortCircuit: true }
}

function isTypeScript(url: string): boolean {
  return url.startsWith('file:') && /\.[mc]?ts$/.test(url)
}

/** A `.ts` file is a module unless it plainly is not: it requires, and neither imports nor exports. */
function isCommonJs(url: string, source: string): boolean {
  if (url.endsWith('.mts')) return false
  return /\b(require\s*\(|module\.exports\b)/.test(source) && !/^\s*(import|export)\b/m.test(source)
}

function text(source: module.ModuleSource | null | undefined): string {
  return typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
}
