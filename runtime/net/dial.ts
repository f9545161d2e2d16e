import net, { type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { TlsOptions } from '../ambient.ts'
import { WatError } from '../error.ts'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { clientHandshake, deadline, HANDSHAKE_MS } from './auth.ts'
import { type Secret, toSecret } from './secret.ts'
import { ignore, SOCKET_OPTIONS } from './socket.ts'

/** From the call of `dial` to its result, unless `timeoutMs` says otherwise. */
export const DIAL_MS = 10_000

/** What `dial` is told besides its address. */
export interface DialOptions {
  /** What the server has to know, and this end too; see `toSecret`. */
  secret?: Secret
  /**
   * TLS, with these options of Node's `tls.connect`, or its defaults: the server's certificate has to be
   * for the host of the address (for `localhost` with a Unix socket) and signed by an authority that this
   * system trusts, or by `ca`.
   */
  tls?: TlsOptions | true | undefined
  /** For everything, from looking up the host to the end of the handshake; ms. 10000 unless given. */
  timeoutMs?: number
}

/**
 * Connects to a server, and shows it and asks of it the secret. Resolves with the connection, on which
 * nothing but the handshake has been written. Both directions end apart (`allowHalfOpen`): who has read
 * the end of the input still has to end the output. An `error` that nobody listens to is dropped;
 * `close` comes in any case. Small writes go out at once (`TCP_NODELAY`), and keep-alive is on.
 *
 * Rejects with a WatError:
 * - `offline` when nobody listens there, the host is unknown or cannot be reached
 * - `denied` when the address is none, or the secret or TLS options are unusable; when the system does
 *   not let this user connect; when the server closes during the handshake, as one does that is given a
 *   wrong secret; when it does not know the secret itself; when its certificate is not trusted
 * - `timeout` when that took `timeoutMs`, or the handshake alone, with that of TLS, `HANDSHAKE_MS`
 *
 * An error of the system is the cause, its code `data.code`. The connection is closed then.
 */
export async function dial(address: string, options: DialOptions): Promise<Duplex> {
  const { target, name, secret } = aim(address, options)
  const timeoutMs = options.timeoutMs ?? DIAL_MS
  const end = performance.now() + timeoutMs
  const late = `${name}: not connected within ${timeoutMs} ms`
  do {
    const socket = open(target, options.tls).on('error', ignore)
    const inTime = deadline(socket, end - performance.now(), late)
    if (await connected(socket, name)) {
      await handshake(socket, secret, name, options.tls !== undefined)
      inTime()
      return socket
    }
    // The system says when a queue is full, but not when it is so no longer.
    await new Promise(resolve => setTimeout(resolve, QUEUE_PAUSE_MS))
  } while (performance.now() < end)
  throw new WatError('timeout', `${late}: too many are waiting there`)
}

const QUEUE_PAUSE_MS = 20

/** Why nothing could be reached like this, whoever listens: the address is none, or the secret. */
export function misuse(address: string, options: DialOptions): WatError | undefined {
  try {
    aim(address, options)
    return undefined
  } catch (error) {
    return error as WatError
  }
}

function aim(address: string, options: DialOptions): { target: Address; name: string; secret: Uint8Array } {
  const target = parseAddress(address)
  const name = formatAddress(target)
  if (target.kind === 'tcp' && target.port === 0) {
    throw new WatError('denied', `${name}: port 0 is for servers; a client wants the port they got`)
  }
  return { target, name, secret: toSecret(options.secret) }
}

function open(target: Address, options: DialOptions['tls']): Socket {
  const where = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port }
  if (options === undefined) return net.connect({ ...SOCKET_OPTIONS, ...where })
  try {
    return tls.connect({
      ...(options === true ? {} : (options as ConnectionOptions)),
      ...SOCKET_OPTIONS,
      ...where,
    })
  } catch (cause) {
    throw new WatError('denied', `these TLS options are of no use: ${(cause as Error).message}`, { cause })
  }
}

/** False when a Unix socket's server has too many connections waiting, which Linux says by EAGAIN. */
async function connected(socket: Socket, name: string): Promise<boolean> {
  if (await reached(socket, 'connect')) return true
  const cause: NodeJS.ErrnoException | null = socket.errored
  if (cause instanceof WatError) throw cause
  const code = cause?.code
  if (code === 'EAGAIN') return false
  const kind = code === 'EACCES' || code === 'EPERM' ? 'denied' : 'offline'
  throw new WatError(kind, `${name}: ${WHY[code ?? ''] ?? `no connection (${code})`}`, {
    data: { code },
    cause,
  })
}

const WHY: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ENOENT: 'nobody listens there',
  ENOTFOUND: 'there is no host of that name',
  EACCES: 'no permission to connect',
  EPERM: 'no permission to connect',
}

async function handshake(
  socket: Socket,
  secret: Uint8Array,
  name: string,
  encrypted: boolean,
): Promise<void> {
  const inTime = deadline(socket, HANDSHAKE_MS, `${name}: no handshake within ${HANDSHAKE_MS} ms`)
  // A TLS socket takes them only now.
  socket.setNoDelay(SOCKET_OPTIONS.noDelay)
  socket.setKeepAlive(SOCKET_OPTIONS.keepAlive, SOCKET_OPTIONS.keepAliveInitialDelay)
  if (encrypted && !(await reached(socket, 'secureConnect'))) throw untrusted(socket as TLSSocket, name)
  await clientHandshake(socket, secret, name)
  inTime()
}

function untrusted(socket: TLSSocket, name: string): WatError {
  const cause: NodeJS.ErrnoException | null = socket.errored
  if (cause instanceof WatError) return cause
  const why = socket.authorizationError ? `its certificate is not trusted (${cause?.code})` : 'no TLS there'
  return new WatError('denied', `${name}: ${why}`, { data: { code: cause?.code }, cause })
}

/** Whether the event came before the end of the socket, whose `errored` says why not. */
function reached(socket: Socket, event: 'connect' | 'secureConnect'): Promise<boolean> {
  return new Promise(resolve => {
    socket.once(event, () => resolve(true)).once('close', () => resolve(false))
  })
}
