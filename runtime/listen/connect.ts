import { resolveOptions } from '../child/options.ts'
import { Process } from '../child/process.ts'
import type { PeerOptions } from '../net/peer-options.ts'

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
  return new Process<Req, Res>(resolveOptions({ connection: String(address) }, rest), name, start)
}
