import { fileURLToPath } from 'node:url'
import { environmentOf } from '../child/environment.ts'
import { environment } from '../vm/identity.ts'
import { ROOM } from '../vm/shown-arguments.ts'
import { FOREIGN_SCRIPT, GUARD_SCRIPT, guardTicks, LIFELINE_FD } from './guard.ts'
import type { Settings } from '../child/options.ts'

/** Where a process gets its program from: its command line, or a `#wat/run` frame, at once or some day. */
export type SourceKind = 'command-line' | 'sent' | 'spare'

/**
 * What Node is started with, here and in bin/wat. The young generation begins with 4 MiB, not 1: that is
 * enough for a start, a first reply and a first spawn, which a collection in their midst makes 4 ms longer.
 */
const NODE_FLAGS = ['--no-warnings', '--min-semi-space-size=4']

/** The command that becomes the child, and its environment. */
export function commandFor(
  settings: Settings,
  name: string,
  address: string,
  source: SourceKind,
): { args: string[]; env: NodeJS.ProcessEnv } {
  const { program, execArgv, stopGraceMs } = settings
  const guarded = (script: string) => ['-c', script, 'wat', String(guardTicks(stopGraceMs))]
  const env = environmentOf(settings, name, address)
  if (program.kind === 'command') {
    return { args: [...guarded(FOREIGN_SCRIPT), program.command, ...program.args, ...settings.args], env }
  }
  const node = [process.execPath, ...NODE_FLAGS, ...execArgv]
  const boot = fileURLToPath(new URL('./boot.js', import.meta.url))
  const what =
    source === 'command-line' && program.kind === 'file'
      ? [String(program.path), ...settings.args]
      : [source === 'spare' ? ROOM : name]
  env[environment.lifeline] = String(LIFELINE_FD)
  if (source !== 'command-line') env[environment.programSource] = source
  return { args: [...guarded(GUARD_SCRIPT), ...node, boot, '--', ...what], env }
}
