import { Buffer } from 'node:buffer'
import { pathToFileURL } from 'node:url'
import { carriedFiles } from '../vm/program.ts'
import type { Assignment } from '../vm/seat.ts'
import { runFrame } from '../wire/frames.ts'
import { fit } from '../wire/outbox.ts'
import type { Sink } from '../wire/pipe.ts'
import type { Settings } from './options.ts'

/** A program as text: a function as a module that exports it, or a file with those of its own that it imports. */
interface Parcel {
  main: string
  files: ReadonlyMap<string, string>
}

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
    program: program.kind === 'file' ? program.path : name,
    args: [...args],
    env: [],
    cwd: cwd ?? null,
    address,
    name,
  }
  const parcel = await parcelOf(settings, withFiles)
  if (parcel) {
    Object.assign(assignment, { program: parcel.main, files: new Map(parcel.files), captures })
    fit(Buffer.byteLength(runFrame(assignment)), maxFrame)
  }
  return assignment
}

/** Gives a process its program. Resolves when its pipe has it, or never will: then its exit tells more. */
export function sendProgram(stdin: Sink, assignment: Assignment): Promise<void> {
  return new Promise(resolve => stdin.write([Buffer.from(runFrame(assignment))], () => resolve()))
}

async function parcelOf({ program }: Settings, withFiles: boolean): Promise<Parcel | undefined> {
  if (program.kind === 'function') {
    const { functionProgram } = await import('../portable/function.ts')
    return parcel(functionProgram(program.main))
  }
  if (program.kind !== 'file') return undefined
  const url = pathToFileURL(program.path).href
  const files = carriedFiles()
  if (files?.has(url)) return { main: url, files }
  if (!withFiles) return undefined
  const { fileProgram } = await import('../portable/file.ts')
  return parcel(await fileProgram(url))
}

function parcel({ main, files }: { main: string; files: Record<string, string> }): Parcel {
  return { main, files: new Map(Object.entries(files)) }
}
