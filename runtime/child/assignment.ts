import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { programStack } from '../edn/fault.ts'
import { WatError } from '../error.ts'
import type { Package } from '../portable/package-files.ts'
import { carriedPackage, type Assignment } from '../vm/assignment.ts'
import { exits } from '../vm/status.ts'
import { runFrame } from '../wire/frames.ts'
import { fitFrame } from '../wire/fit.ts'
import type { Sink } from '../io/pipe.ts'
import type { ParsedProgram } from './program.ts'
import type { Settings } from './options.ts'

/** A function's place is not looked for in a larger file. */
const MAX_SOURCE_BYTES = 1024 * 1024

/**
 * What a process is told that gets its program in a `#wat/run` frame. The program comes along when it is a
 * function, when this process has it as text only, and with `withFiles`. Rejects with `denied` for one that
 * cannot stand alone, and with `too-large` when it is over what the
 * process takes in one frame.
 */
export async function assignmentFor(
  settings: Settings,
  name: string,
  address: string,
  withFiles = false,
): Promise<Assignment> {
  const { program, given, args, cwd, maxFrame } = settings
  const assignment: Assignment = {
    program: program.kind === 'file' ? pathOf(program) : name,
    args: [...args],
    env: [],
    cwd: cwd ?? null,
    address,
    name,
    ...(given && { given: true }),
  }
  const pkg = await packageOf(settings, withFiles)
  if (pkg) {
    const { main, files, links } = pkg
    Object.assign(assignment, { program: main, files: new Map(Object.entries(files)) })
    if (links) assignment.links = new Map(Object.entries(links))
    fitFrame(() => runFrame(assignment), maxFrame)
  }
  return assignment
}

/** Where a program is. Throws `offline` when nobody can tell. */
function pathOf({ path, specifier }: ParsedProgram & { kind: 'file' }): string {
  if (path !== undefined) return path
  throw new WatError('offline', `no such program: ${specifier}: the working directory has been removed`, {
    data: { exit: { code: exits.noProgram } },
  })
}

/** Gives a process its program. Resolves when its pipe has it, or never will: then its exit tells more. */
export function sendProgram(stdin: Sink, assignment: Assignment): Promise<void> {
  return new Promise(resolve => stdin.write([Buffer.from(runFrame(assignment))], () => resolve()))
}

async function packageOf({ program }: Settings, withFiles: boolean): Promise<Package | undefined> {
  if (program.kind === 'function') {
    const { functionPackage, sourceUrl } = await import('../portable/function.ts')
    // What this process has as text only is under its own name there, or under the one it gives itself.
    const read = (url: string) => {
      const { files = {} } = carriedPackage() ?? {}
      return files[url] ?? Object.values(files).find(text => text.endsWith(sourceUrl(url))) ?? textOf(url)
    }
    return functionPackage(program.main, { stack: programStack(program.site) ?? '', read })
  }
  if (program.kind !== 'file') return undefined
  const file = pathOf(program)
  const url = pathToFileURL(file).href
  const carried = carriedPackage()
  const own = carried?.links?.[url] ?? url
  if (carried && own in carried.files) return { ...carried, main: own }
  if (!withFiles) return undefined
  if (!fs.existsSync(file)) throw noSuchProgram(file)
  const { filePackage } = await import('../portable/file.ts')
  return filePackage(url)
}

/** As it would end that looks for it itself. */
function noSuchProgram(file: string): WatError {
  return new WatError('offline', `no such program: ${file}`, { data: { exit: { code: exits.noProgram } } })
}

function textOf(url: string): string | undefined {
  try {
    const file = fileURLToPath(url)
    return fs.statSync(file).size <= MAX_SOURCE_BYTES ? fs.readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined // not a file of this host
  }
}
