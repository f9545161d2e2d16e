import { runFrame } from '../wire/frames.ts'
import { assignmentFor } from '../child/assignment.ts'
import type { Settings } from '../child/options.ts'
import { OsProcess } from '../local/os-process.ts'
import type { Running } from '../child/running.ts'
import { takeSpare } from '../local/spares.ts'

/**
 * Starts a program in a process of its own: a spare, or a new one. Rejects with `offline` when the system
 * cannot start it, and with what `assignmentFor` rejects with.
 */
export async function startProcess(settings: Settings, name: string, address: string): Promise<Running> {
  const { program } = settings
  if (settings.via.length > 0) return (await import('../remote/via.ts')).startVia(settings, name, address)
  if (program.kind === 'command') return OsProcess.start(settings, name, address, 'command-line')
  const assignment = await assignmentFor(settings, name, address)
  const spare = await takeSpare(settings, assignment)
  if (spare) return spare
  if (!assignment.files && !settings.given) return OsProcess.start(settings, name, address, 'command-line')
  const running = await OsProcess.start(settings, name, address, 'sent')
  running.greeting = runFrame(assignment)
  return running
}
