import net, { type ListenOptions, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions } from '../ambient.ts'
import { WatError } from '../error.ts'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { deadline, HANDSHAKE_MS, serverHandshake } from './auth.ts'
import { encryption } from './encrypt.ts'
import { type Secret, toSecret } from './secret.ts'
import { ignore, SOCKET_OPTIONS } from './socket.ts'
import { privateFolder, takeName, temporaryName } from './socket-file.ts'

/** Connections that have not finished the handshake; with one more, the oldest of them is dropped. */
export const MAX_UNFINISHED = 256

/** Connections that wait to be accepted; fewer where the system allows fewer (`somaxconn`). */
export const MAX_BACKLOG = 511

/** What `openServer` is told besides its address. */
export interface ServerOptions {
  /** What a client has to know; see `toSecret`. */
  secret?: Secret
  /** TLS, with these options of Node's `tls.createServer`: at least `key` and `cert`. */
  tls?: TlsOptions | undefined
  /**
   * Is given each client that knows the secret. The stream is from now on the callee's: to read, to end,
   * to destroy. Both directions end apart (`allowHalfOpen`): who has read the end of the input still has
   * to end the output. An `error` that nobody listens to is dropped; `close` comes in any case. Nothing
   * catches what it throws.
   */
  onConnection(stream: Duplex): void
  /**
   * Is told when the system could not accept a connection; the server goes on. Not when descriptors run
   * out: libuv has one in reserve then, to accept and close who comes until others are free.
   */
  onError?(error: Error): void
}

/** A server that listens. */
export interface NetServer {
  /** Where it listens, with an absolute path, or with the port that it got when it asked for port 0. */
  address: string
  /**
   * Stops listening, and drops who has not finished the handshake. When it resolves the port is free and
   * the socket file gone. What `onConnection` was given stays as it is. May be called again; never rejects.
   */
  close(): Promise<void>
}

/**
 * Listens at `unix:/path` or `tcp://host:port`, and hands on the connections of those who know the
 * secret. All others get a challenge, `HANDSHAKE_MS` of time at most, and no word more.
 *
 * Rejects with a WatError `denied` when the address is none, is in use or wants a permission; when the
 * folder of a Unix socket is not this user's alone; when the secret or the TLS options are unusable. With
 * `offline` when this host has no such address. An error of the system is the cause, its code `data.code`.
 */
export function openServer(address: string, options: ServerOptions): Promise<NetServer> {
  return openServerWithin(address, options, HANDSHAKE_MS)
}

/** The same with another deadline for handshakes, in ms. */
export async function openServerWithin(
  address: string,
  options: ServerOptions,
  handshakeMs: number,
): Promise<NetServer> {
  const target = parseAddress(address)
  const secret = toSecret(options.secret)
  const encrypt = options.tls === undefined ? undefined : encryption(options.tls)
  const unfinished = new Set<Socket>()

  async function accept(raw: Socket): Promise<void> {
    raw.on('error', ignore).once('close', () => unfinished.delete(raw))
    unfinished.add(raw)
    if (unfinished.size > MAX_UNFINISHED) dropOldest(unfinished)
    const stream = await admit(raw)
    unfinished.delete(raw)
    if (stream !== undefined && !stream.destroyed) options.onConnection(stream)
  }

  async function admit(raw: Socket): Promise<Duplex | undefined> {
    const inTime = deadline(raw, handshakeMs, 'no handshake in time') // for TLS and ours together
    try {
      const stream = encrypt === undefined ? raw : (await encrypt(raw)).on('error', ignore)
      await serverHandshake(stream, secret)
      inTime()
      return stream
    } catch {
      raw.destroy()
      return undefined
    }
  }

  const server = net.createServer(SOCKET_OPTIONS)
  server.on('connection', raw => void accept(raw))
  server.on('error', error => {
    if (!server.listening) return // `listen` tells of it
    // Most likely something has run out: who has shown nothing yet can do without.
    dropOldest(unfinished)
    options.onError?.(error)
  })
  const place = await listen(server, target)
  return {
    address: place.address,
    async close() {
      place.release() // while it listens still: a name whose socket is live is left alone by all others
      server.close() // closes the descriptor at once; its event waits for connections that are not ours
      for (const raw of unfinished) raw.destroy()
    },
  }
}

interface Listening {
  address: string
  release(): void
}

async function listen(server: Server, target: Address): Promise<Listening> {
  const how = { backlog: MAX_BACKLOG, exclusive: true }
  if (target.kind === 'tcp') {
    await bind(server, { ...how, host: target.host, port: target.port }, target)
    const { port } = server.address() as net.AddressInfo
    return { address: formatAddress({ ...target, port }), release: ignore }
  }
  const bound = temporaryName(target.path)
  privateFolder(target.path)
  await bind(server, { ...how, path: bound }, target)
  try {
    return { address: formatAddress(target), release: await takeName(bound, target.path) }
  } catch (error) {
    server.close()
    throw error
  }
}

async function bind(server: Server, how: ListenOptions, target: Address): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(how, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    const [kind, what] = WHY[code] ?? (['offline', `cannot listen (${code})`] as const)
    throw new WatError(kind, `${formatAddress(target)}: ${what}`, { data: { code }, cause })
  }
}

const WHY: Record<string, readonly ['denied' | 'offline', string]> = {
  EADDRINUSE: ['denied', 'in use'],
  EACCES: ['denied', 'no permission to listen there'],
  EPERM: ['denied', 'no permission to listen there'],
  EADDRNOTAVAIL: ['offline', 'this host has no such address'],
  ENOTFOUND: ['offline', 'there is no host of that name'],
}

/** A set keeps the order in which its members came. */
function dropOldest(unfinished: Set<Socket>): void {
  const [oldest] = unfinished
  if (oldest === undefined) return
  unfinished.delete(oldest)
  oldest.destroy()
}
