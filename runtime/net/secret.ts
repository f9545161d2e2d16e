import { Buffer } from 'node:buffer'
import crypto from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { WatError } from '../error.ts'

/** A secret is so many bytes: the length of the HMAC that is made with it. */
export const SECRET_BYTES = 32

/** The bytes of a secret; the path of a file that holds it; `undefined` for the default file. */
export type Secret = Uint8Array | string | undefined

/**
 * The 32 bytes that both ends of a connection know. A `Uint8Array` is copied. A string is the path of a
 * file with 32 raw bytes, or 64 hex digits and perhaps a newline; `undefined` is the file of
 * `defaultSecretFile`. A symbolic link is followed.
 *
 * Throws a WatError `denied` for another number of bytes, and for a file that is missing, holds anything
 * else, is no regular file, belongs to another user, or is open to others in any way (a mode with group
 * or other bits); its message names the file.
 */
export function toSecret(secret: Secret): Buffer {
  if (secret === undefined) return readSecret(defaultSecretFile())
  if (typeof secret === 'string') return readSecret(secret)
  if (secret instanceof Uint8Array && secret.length === SECRET_BYTES) return Buffer.from(secret)
  const got = secret instanceof Uint8Array ? `${secret.length} bytes` : typeof secret
  throw new WatError('denied', `a secret is ${SECRET_BYTES} bytes or the path of a file, not ${got}`)
}

/**
 * The secret of a file, which is made if it is not there: 32 random bytes as hex, mode 0600, in a folder
 * that is made with mode 0700. It appears whole or not at all, and of several processes that do this at
 * once one makes it and all return the same.
 *
 * Throws like `toSecret`, also when the file cannot be made; `data.code` is the system's error code.
 */
export function ensureSecretFile(file: string = defaultSecretFile()): Buffer {
  if (!fs.existsSync(file)) create(file)
  return readSecret(file)
}

/** `$WAT_SECRET_FILE`; else `$XDG_CONFIG_HOME/wat/secret`; else `~/.config/wat/secret`. */
export function defaultSecretFile(): string {
  const { WAT_SECRET_FILE: chosen, XDG_CONFIG_HOME: config } = process.env
  if (chosen) return chosen
  // A relative XDG_CONFIG_HOME is to be ignored, says its specification.
  const folder = config && path.isAbsolute(config) ? config : path.join(os.homedir(), '.config')
  return path.join(folder, 'wat', 'secret')
}

function create(file: string): void {
  // Complete before it has its name: nobody reads half a secret, and `link` lets only the first one in.
  const draft = `${file}.${crypto.randomBytes(8).toString('hex')}`
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
    const fd = fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      fs.writeSync(fd, `${crypto.randomBytes(SECRET_BYTES).toString('hex')}\n`)
      fs.fsyncSync(fd)
      fs.linkSync(draft, file)
    } finally {
      fs.closeSync(fd)
      fs.rmSync(draft)
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable(file, `cannot be made (${codeOf(error)})`, error)
  }
}

function readSecret(file: string): Buffer {
  // One descriptor for the checks and the reading: nobody can put another file in between.
  // O_NONBLOCK: to open a FIFO that nobody writes would wait for ever.
  const fd = open(file)
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) throw unusable(file, 'is no regular file')
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
    if (stat.uid !== process.geteuid?.()) throw unusable(file, `belongs to user ${stat.uid} (mode ${mode})`)
    if ((stat.mode & 0o077) !== 0) {
      throw unusable(file, `has mode ${mode}: others can get at it. chmod 600 ${file}`)
    }
    return decode(file, readUpTo(fd, MOST_BYTES + 1))
  } finally {
    fs.closeSync(fd)
  }
}

/** 64 hex digits, CR and LF. */
const MOST_BYTES = SECRET_BYTES * 2 + 2

function open(file: string): number {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (error) {
    throw unusable(file, `cannot be read (${codeOf(error)})`, error)
  }
}

function readUpTo(fd: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let filled = 0
  for (let got = -1; got !== 0 && filled < bytes; filled += got) {
    got = fs.readSync(fd, buffer, filled, bytes - filled, null)
  }
  return buffer.subarray(0, filled)
}

function decode(file: string, bytes: Buffer): Buffer {
  if (bytes.length === SECRET_BYTES) return bytes
  const [, hex] = /^([\da-f]+)\r?\n?$/i.exec(bytes.toString('latin1')) ?? []
  if (hex?.length === SECRET_BYTES * 2) return Buffer.from(hex, 'hex')
  throw unusable(file, `holds neither ${SECRET_BYTES} bytes nor ${SECRET_BYTES * 2} hex digits`)
}

function unusable(file: string, why: string, cause?: unknown): WatError {
  const code = codeOf(cause)
  const more = cause === undefined ? {} : { data: { code }, cause }
  return new WatError('denied', `the secret file ${file} ${why}`, more)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
