import type { Program } from '../child/program.ts'
import { resolveOptions, type SpawnOptions } from '../child/options.ts'
import { Process } from '../child/process.ts'
import { BASIC_PROTOCOL, PROTOCOL } from '../wire/limits.ts'
import { startProcess } from './start.ts'

/**
 * Starts a program as a process of its own: its own three pipes, its own process group, and the same
 * bootstrap unless it is a command. Returns at once and never throws for a bad program: `ready` and pending
 * calls reject with `offline`, and `exited` tells why. Throws `denied` for options that make no sense.
 */
export function spawnProcess<Req = any, Res = any, C = any>(
  program: Program<C, Req, Res>,
  options: SpawnOptions<C> = {},
): Process<Req, Res> {
  const settings = resolveOptions(program, options)
  // On this host it is of the same version.
  const known = settings.program.kind !== 'command' && settings.via.length === 0
  return new Process<Req, Res>(settings, options.name, startProcess, known ? PROTOCOL : BASIC_PROTOCOL)
}
