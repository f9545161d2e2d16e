import type { Program } from '../child/program.ts'
import { resolveOptions, type Settings, type SpawnOptions } from '../child/options.ts'
import type { PeerOptions } from '../net/peer-options.ts'
import { Process } from '../child/process.ts'

/** How `spawnRemote` starts a program. */
export interface RemoteOptions<C = any> extends Omit<SpawnOptions<C>, 'via'>, PeerOptions {
  /** The address that `wat host` serves there: `tcp://host:port` or `unix:/path`. */
  at: string
}

/**
 * Starts a program on a host that runs `wat host`: a process like any other, whose three pipes, exit code
 * and signals go over one authenticated connection. Its subtree there ends when the connection ends, when
 * either side's process dies, and when nothing is heard for `silence`.
 *
 * Returns at once. `ready` and pending calls reject with `denied` where the address or the secret is none, and
 * with `offline`, whose cause tells what is wrong: no route, a wrong secret, another version of the protocol, or
 * the end of the process. Throws `denied` for other options that make no sense.
 */
export function spawnRemote<Req = any, Res = any, C = any>(
  program: Program<C, Req, Res>,
  options: RemoteOptions<C>,
): Process<Req, Res> {
  const { at, secret, tls, ...rest } = options
  const start = async (settings: Settings, name: string, address: string) => {
    const { startRemote } = await import('../remote/remote-start.ts')
    const { misuse } = await import('../net/dial.ts')
    return misuse(at, { secret }) ?? startRemote(settings, name, address, at, { secret, tls })
  }
  return new Process<Req, Res>(resolveOptions(program, rest), options.name, start)
}
