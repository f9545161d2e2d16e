import hooks from 'node:async_hooks'
import type { Socket } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import type { TlsOptions } from '../ambient.ts'
import { WatError } from '../error.ts'

/**
 * What makes accepted connections TLS connections. The promise rejects when the connection is closed
 * before TLS stands, for whatever reason: the other end speaks no TLS, has no certificate that `options`
 * ask for, or whoever watches the time has destroyed it.
 *
 * Throws a WatError `denied` when the options are of no use, with Node's error as its cause.
 */
export function encryption(options: TlsOptions): (raw: Socket) => Promise<TLSSocket> {
  // Node does not say to which accepted connection a TLS connection belongs, and the one has to be
  // counted and timed from the moment of the other: so each is set up in a context that knows.
  const context = new hooks.AsyncLocalStorage<(socket: TLSSocket) => void>()
  const server = create(options) // never listens
  server.on('secureConnection', socket => context.getStore()?.(socket))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return raw =>
    new Promise((resolve, reject) => {
      raw.once('close', () => reject(new WatError('denied', 'closed before TLS stood')))
      context.run(resolve, () => server.emit('connection', raw))
    })
}

function create(options: TlsOptions): tls.Server {
  try {
    return tls.createServer(options as tls.TlsOptions)
  } catch (cause) {
    throw new WatError('denied', `these TLS options are of no use: ${(cause as Error).message}`, { cause })
  }
}
