import type { Program } from './given.ts'
import { settle, type Settings, type SpawnOptions } from './options.ts'
import type { PeerOptions } from './peer-options.ts'
import { Process } from './process.ts'

/** How `spawnRemote` starts a program. */
export interface RemoteOptions<C = any> extends Omit<SpawnOptions<C>, 'via'>, PeerOptions {
  /** The address that `wat host` serves there: `tcp://host:port` or `unix:/path`. */
  at: string
}

/** How `connect` reaches a server. */
export interface ConnectOptions extends PeerOptions {
  /** What it is called in messages, and in its address here. Default: from its address. */
  name?: string | undefined
  /** The largest form, in bytes, either side takes. Default 16 MiB. */
  maxFrame?: number | undefined
  /** How many calls may be in flight; more wait for a place. Default 256. */
  maxInFlight?: number | undefined
  /** Milliseconds that `stop` waits for what is in flight. Default: this process's own grace. */
  stopGrace?: number | undefined
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
    const { startRemote } = await import('./remote-start.ts')
    const { misuse } = await import('../net/dial.ts')
    return misuse(at, { secret }) ?? startRemote(settings, name, address, at, { secret, tls })
  }
  return new Process<Req, Res>(settle(program, rest), options.name, start)
}

/**
 * Connects to what `listen` serves. What it gives is like a process: `ready` resolves when the server has
 * answered, `exited` when the connection has ended; `stop` lets what is in flight finish, and ends it.
 * Returns at once and rejects as `spawnRemote` does.
 */
export function connect<Req = any, Res = any>(
  address: string,
  options: ConnectOptions = {},
): Process<Req, Res> {
  const { secret, tls, name, ...rest } = options
  const start = async () => {
    const { Connection } = await import('./connection.ts')
    const { misuse } = await import('../net/dial.ts')
    return misuse(address, { secret }) ?? Connection.open(address, { secret, tls })
  }
  return new Process<Req, Res>(settle({ connection: String(address) }, rest), name, start)
}
