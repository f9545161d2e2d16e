import { Buffer } from 'node:buffer'
import type { Assignment } from '../vm/seat.ts'
import { runFrame } from '../wire/frames.ts'
import { fit } from '../wire/outbox.ts'
import type { Sink } from '../wire/pipe.ts'
import type { Settings } from './options.ts'

/**
 * What a process is told that gets its program in a `#wat/run` frame. A function comes as a module that
 * exports it. Rejects with `denied` for a function that cannot stand alone, `encode` for captures that EDN
 * cannot carry, and `too-large` when it is over what the process takes in one frame.
 */
export async function assignmentFor(settings: Settings, name: string, address: string): Promise<Assignment> {
  const { program, captures, args, cwd, maxFrame } = settings
  const assignment: Assignment = {
    program: program.kind === 'file' ? program.path : name,
    args: [...args],
    env: [],
    cwd: cwd ?? process.cwd(),
    address,
    name,
  }
  if (program.kind === 'function') {
    const { functionProgram } = await import('../portable/function.ts')
    const { main, files } = functionProgram(program.main)
    Object.assign(assignment, { program: main, files: new Map(Object.entries(files)), captures })
    fit(Buffer.byteLength(runFrame(assignment)), maxFrame)
  }
  return assignment
}

/** Gives a process its program. Resolves when its pipe has it, or never will: then its exit tells more. */
export function sendProgram(stdin: Sink, assignment: Assignment): Promise<void> {
  return new Promise(resolve => stdin.write([Buffer.from(runFrame(assignment))], () => resolve()))
}
