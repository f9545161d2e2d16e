import { Buffer } from 'node:buffer'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net, { type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'vitest'
import { formatAddress, parseAddress } from '../../runtime/net/address.ts'
import { dial, type DialOptions } from '../../runtime/net/dial.ts'
import { type NetServer, openServerWithin, type ServerOptions } from '../../runtime/net/server.ts'
import { until } from '../support/proc.ts'

export { describe, expect } from 'vitest'

export const SECRET = Buffer.alloc(32, 7)
export const OTHER_SECRET = Buffer.alloc(32, 8)

const LONG_MS = 20_000

/** An echo server under attack: it counts whom it was given. */
export interface Echo extends NetServer {
  given: Duplex[]
  errors: Error[]
}

/** One test's place: its servers and sockets, and the proof that none of them is left over. */
export class Site {
  readonly #before = resources()
  readonly #folders: string[] = []
  readonly #ends: (() => unknown)[] = []

  /** A folder with mode 0700. */
  folder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'wat-net-'))
    this.#folders.push(folder)
    return folder
  }

  /** The address of a Unix socket that is not there. */
  unix(): string {
    return `unix:${path.join(this.folder(), 'socket')}`
  }

  /** A server that gives back what it gets. */
  async echo(address: string, more: Partial<ServerOptions> = {}, handshakeMs = LONG_MS): Promise<Echo> {
    const given: Duplex[] = []
    const errors: Error[] = []
    const echo = (stream: Duplex): void => void stream.pipe(stream)
    const onConnection = (stream: Duplex): void => {
      given.push(stream)
      ;(more.onConnection ?? echo)(stream)
      if (more.onConnection) this.#ends.push(() => stream.destroy()) // an echo ends by itself
    }
    const onError = (error: Error): void => void errors.push(error)
    const options = { secret: SECRET, onError, ...more, onConnection }
    const server = await openServerWithin(address, options, handshakeMs)
    this.#ends.push(() => server.close())
    return { ...server, given, errors }
  }

  /** A server of TCP that does what it likes. */
  async rogue(onConnection: (socket: Socket) => unknown): Promise<string> {
    const server = net.createServer({ allowHalfOpen: true }, socket => {
      this.#ends.push(() => socket.destroy())
      socket.on('error', () => {})
      onConnection(socket)
    })
    this.#ends.push(() => server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return formatAddress({ kind: 'tcp', host: '127.0.0.1', port: (server.address() as net.AddressInfo).port })
  }

  /** A connection without a handshake. */
  async raw(address: string): Promise<Socket> {
    const target = parseAddress(address)
    const where = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port }
    const socket = net.connect({ ...where, allowHalfOpen: true })
    this.#ends.push(() => socket.destroy())
    await once(socket, 'connect')
    socket.on('error', () => {})
    return socket
  }

  async dial(address: string, more: Partial<DialOptions> = {}): Promise<Duplex> {
    const stream = await dial(address, { secret: SECRET, ...more })
    this.#ends.push(() => stream.destroy())
    return stream
  }

  /** An honest client, from its first byte to its last. */
  async honest(address: string, more: Partial<DialOptions> = {}): Promise<void> {
    const stream = await this.dial(address, more)
    const text = randomBytes(8).toString('hex')
    stream.end(text)
    const back = String(await all(stream))
    if (back !== text) throw new Error(`sent ${text}, got ${back}`)
  }

  /** For what makes no event on this side. */
  until(condition: () => boolean, otherwise: string): Promise<void> {
    return until(condition, 10_000, () => otherwise)
  }

  async close(failed: boolean): Promise<void> {
    for (const end of this.#ends) await end()
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
    if (failed) return
    const said = (): string =>
      `left over: ${JSON.stringify(resources())}, before: ${JSON.stringify(this.#before)}`
    await until(() => resources().every((count, index) => count <= (this.#before[index] ?? 0)), 5000, said)
  }
}

/** A test with a site of its own. After it, no socket of it may be open, on either side. */
export const it = test.extend<{ site: Site }>({
  site: async ({ task }, use) => {
    const site = new Site()
    await use(site)
    await site.close(task.result?.state === 'fail')
  },
})

/** Open sockets and servers of this process, and its descriptors. */
export function resources(): number[] {
  const handles = process.getActiveResourcesInfo().filter(name => /Server|Socket|Pipe|TLS/.test(name))
  return [handles.length, readdirSync('/proc/self/fd').length]
}

/** All that comes until the end of the input, or of the stream, without an end of our own. */
export async function all(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!stream.readableEnded && !stream.destroyed) await event(stream, 'end', 'close')
  return Buffer.concat(chunks)
}

/** The next so many bytes, all of them; fewer at the end. */
export async function some(stream: Duplex, bytes: number): Promise<Buffer> {
  while (true) {
    const chunk = stream.read(bytes) as Buffer | null
    if (chunk !== null) return chunk
    if (stream.readableEnded || stream.destroyed) return Buffer.alloc(0)
    await event(stream, 'readable', 'end', 'close')
  }
}

/** The first of these events; unlike with `once` of Node an error is no failure. */
export function event(stream: Duplex, ...names: string[]): Promise<void> {
  return new Promise(resolve => {
    const settle = (): void => {
      for (const name of names) stream.off(name, settle)
      resolve()
    }
    for (const name of names) stream.on(name, settle)
  })
}

/** The handshake as the specification has it, without a line of the runtime. */
export function hmac(secret: Uint8Array, label: string, challenge: Uint8Array): Buffer {
  return createHmac('sha256', secret)
    .update(Buffer.concat([Buffer.from(label), challenge]))
    .digest()
}

/** What rejects with what: its code and message. */
export async function failure(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; data: any }> {
  try {
    await promise
  } catch (error) {
    const { code, message, data } = error as { code: string; message: string; data: any }
    return { code, message, data }
  }
  throw new Error('it did not fail')
}
