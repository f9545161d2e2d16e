import type { Program } from '../child/program.ts'
import { settle, type SpawnOptions } from '../child/options.ts'
import { Process } from '../child/process.ts'
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
  return new Process<Req, Res>(settle(program, options), options.name, startProcess)
}
