import fs from 'node:fs'
import net from 'node:net'
import { WatError } from '../error.ts'
import { kindOf } from '../io/fd.ts'
import type { Carrier } from './mux.ts'
import { HostSession } from './host-session.ts'

/** What `wat host` was told. */
export interface HostOptions {
  address: string
  /** The file of the secret. */
  secret?: string
  /** Files of a certificate and its key, for TLS. */
  cert?: string
  key?: string
}

/**
 * Starts programs for whoever connects and knows the secret, until `stopped` aborts; `onListening` gets the
 * real address. With `stdio:` it serves the one who holds `stdin` and `stdout`, and resolves when that one and
 * its process are gone. Rejects with `denied` or `offline` when the address cannot be served.
 */
export async function serveHost(
  options: HostOptions,
  [stdin, stdout]: [stdin: number, stdout: number],
  stopped: AbortSignal,
  onListening: (address: string) => void,
): Promise<void> {
  if (options.address === 'stdio:') return new HostSession(stdioCarrier(stdin, stdout)).done
  const { openServer } = await import('../net/server.ts')
  const { ensureSecretFile } = await import('../net/secret.ts')
  const { address, secret, cert, key } = options
  const server = await openServer(address, {
    secret: ensureSecretFile(secret),
    ...(cert && key && { tls: { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } }),
    onConnection: socket =>
      void new HostSession({ readable: socket, writable: socket, close: () => socket.destroy() }),
  })
  onListening(server.address)
  await new Promise(resolve => stopped.addEventListener('abort', resolve, { once: true }))
  await server.close()
}

function stdioCarrier(stdin: number, stdout: number): Carrier {
  for (const fd of [stdin, stdout]) {
    if (!['pipe', 'socket'].includes(kindOf(fd))) {
      throw new WatError(
        'denied',
        'wat host stdio: needs pipes: it is what a launcher starts at the other end',
      )
    }
  }
  const readable = new net.Socket({ fd: stdin, readable: true, writable: false })
  const writable = new net.Socket({ fd: stdout, readable: false, writable: true })
  const close = () => {
    readable.destroy()
    writable.destroy()
  }
  return { readable, writable, close }
}
