import { Buffer } from 'node:buffer'
import net from 'node:net'
import path from 'node:path'
import { WatError } from '../error.ts'

/** Where a server listens, or a client connects to. The path is absolute. */
export type Address = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number }

/**
 * The longest path of a Unix socket, in bytes: the kernel's `sun_path` less its NUL, 108 on Linux and 104
 * on macOS and the BSDs. A longer one would be cut short by the system without a word.
 */
export const MAX_UNIX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/**
 * Reads `unix:/path`, `unix:./path` (from the working directory) and `tcp://host:port`, with an IPv6
 * address in brackets: `tcp://[::1]:7000`. The port is a decimal number from 0 to 65535; 0 is "any free
 * one", which only a server can ask for. Nothing is looked up.
 *
 * Throws a WatError `denied` for anything else; its message names the address and says what is expected.
 */
export function parseAddress(text: string): Address {
  if (typeof text === 'string') {
    if (text.startsWith('unix:')) return unixAddress(text)
    if (text.startsWith('tcp://')) return tcpAddress(text)
  }
  throw refused(text, 'an address is unix:/path or tcp://host:port')
}

/** The text that `parseAddress` reads as this address. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `tcp://${host}:${address.port}`
}

function unixAddress(text: string): Address {
  const name = text.slice('unix:'.length)
  if (name === '') throw refused(text, 'the path of a socket follows unix:')
  // A NUL in front would be a socket without a file, which any user of the machine may connect to.
  if (name.includes('\0')) throw refused(text, 'a path has no NUL')
  if (/(?:^|\/)\.{0,2}$/.test(name)) throw refused(text, 'it names a folder, not a socket')
  const absolute = fromHere(text, name)
  const bytes = Buffer.byteLength(absolute)
  if (bytes > MAX_UNIX_PATH_BYTES) {
    const limit = `the path of a Unix socket has at most ${MAX_UNIX_PATH_BYTES} bytes on this system`
    throw refused(text, `${limit}, ${absolute} has ${bytes}`)
  }
  return { kind: 'unix', path: absolute }
}

function fromHere(text: string, name: string): string {
  try {
    return path.resolve(name)
  } catch {
    throw refused(text, 'the working directory has been removed')
  }
}

function tcpAddress(text: string): Address {
  const [, inBrackets, name, digits] = /^tcp:\/\/(?:\[([^\]]*)\]|([\w.-]+)):(\d+)$/.exec(text) ?? []
  if (digits === undefined) throw refused(text, 'expected tcp://host:port, or tcp://[IPv6]:port')
  if (inBrackets !== undefined && !net.isIPv6(inBrackets)) throw refused(text, 'no IPv6 address in brackets')
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits) || Number(digits) > 65_535) {
    throw refused(text, 'a port is a number from 0 to 65535')
  }
  return { kind: 'tcp', host: inBrackets ?? name ?? '', port: Number(digits) }
}

function refused(text: unknown, why: string): WatError {
  return new WatError('denied', `not an address: ${JSON.stringify(text)}: ${why}`)
}
