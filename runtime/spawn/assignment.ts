import { Buffer } from 'node:buffer'
import { pathToFileURL } from 'node:url'
import type { Package } from '../portable/package-files.ts'
import { WatError } from '../error.ts'
import { carriedPackage, type Assignment } from '../vm/seat.ts'
import { runFrame } from '../wire/frames.ts'
import { fit } from '../wire/unsendable.ts'
import type { Sink } from '../wire/pipe.ts'
import type { Given } from './given.ts'
import type { Settings } from './options.ts'

/**
 * What a process is told that gets its program in a `#wat/run` frame. The program comes along when it is a
 * function, when this process has it as text only, and with `withFiles`. Rejects with `denied` for one that
 * cannot stand alone, `encode` for captures that EDN cannot carry, and `too-large` when it is over what the
 * process takes in one frame.
 */
export async function assignmentFor(
  settings: Settings,
  name: string,
  address: string,
  withFiles = false,
): Promise<Assignment> {
  const { program, captures, args, cwd, maxFrame } = settings
  const assignment: Assignment = {
    program: program.kind === 'file' ? pathOf(program) : name,
    args: [...args],
    env: [],
    cwd: cwd ?? null,
    address,
    name,
  }
  const pkg = await packageOf(settings, withFiles)
  if (pkg) {
    const { main, files, links } = pkg
    Object.assign(assignment, { program: main, files: new Map(Object.entries(files)), captures })
    if (links) assignment.links = new Map(Object.entries(links))
    fit(Buffer.byteLength(runFrame(assignment)), maxFrame)
  }
  return assignment
}

/** Where a program is. Throws `offline` when nobody can tell. */
function pathOf({ path, given }: Given & { kind: 'file' }): string {
  if (path !== undefined) return path
  throw new WatError('offline', `no such program: ${given}: the working directory has been removed`)
}

/** Gives a process its program. Resolves when its pipe has it, or never will: then its exit tells more. */
export function sendProgram(stdin: Sink, assignment: Assignment): Promise<void> {
  return new Promise(resolve => stdin.write([Buffer.from(runFrame(assignment))], () => resolve()))
}

async function packageOf({ program }: Settings, withFiles: boolean): Promise<Package | undefined> {
  if (program.kind === 'function') {
    const { functionProgram } = await import('../portable/function.ts')
    return functionProgram(program.main)
  }
  if (program.kind !== 'file') return undefined
  const url = pathToFileURL(pathOf(program)).href
  const carried = carriedPackage()
  const own = carried?.links?.[url] ?? url
  if (carried && own in carried.files) return { ...carried, main: own }
  if (!withFiles) return undefined
  const { fileProgram } = await import('../portable/file.ts')
  return fileProgram(url)
}
