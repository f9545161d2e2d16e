import { kindOf } from '../io/fd.ts'
import { paint } from './human.ts'
import { identity } from './identity.ts'
import { writeText } from './stderr.ts'

let told = false

/** Tells a person at a terminal, once, what a program is waiting for that shows no sign of life. */
export function tellWaiting(stdin: number, stderr: number): void {
  if (told || identity.role !== 'root') return
  told = true
  if (kindOf(stdin) !== 'terminal' || kindOf(stderr) !== 'terminal') return
  writeText(`${paint('dim', `${identity.name} reads EDN values from this terminal; end with Ctrl-D`)}\n`)
}
