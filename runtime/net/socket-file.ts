import { Buffer } from 'node:buffer'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { WatError } from '../error.ts'
import { MAX_UNIX_PATH_BYTES } from './address.ts'

/*
 * How a server gets the name of a Unix socket. `bind` makes a file that stays when its process is killed,
 * and then no other `bind` succeeds: somebody has to remove it. Two that look, find it dead and remove it
 * could remove each other's. So:
 *
 * - A server binds to a temporary name beside its path, listens, and only then links its socket to the
 *   path. `link` fails if there is something: of many servers one gets a free name, and what has the name
 *   accepts connections from its first moment until its process is gone.
 * - A dead socket is removed only by who holds the claim on it: a second name beside it, made from the
 *   dead file's inode, that the server links its own socket to, and so only one can have. With the claim
 *   in hand it looks again whether the path is still that inode and still dead.
 * - Who dies holding a claim leaves a dead socket under the claim's name. Its removal takes a claim too.
 *
 * Who is killed in the millisecond between `bind` and the end of this leaves an empty hidden file.
 */

/**
 * Makes the folder of a socket with mode 0700 if it is not there. Throws a WatError `denied` when it
 * belongs to another user or is open to others: whoever may write to it could put a socket of his own
 * there, and on some systems the mode of the socket itself does not keep anybody out.
 */
export function privateFolder(file: string): void {
  const folder = path.dirname(file)
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw refused(file, `its folder ${folder} cannot be made`, error)
  }
  const stat = fs.statSync(folder)
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
  if (stat.uid !== process.geteuid?.()) {
    throw refused(file, `its folder ${folder} belongs to user ${stat.uid}, not to this one`)
  }
  if ((stat.mode & 0o077) !== 0) {
    throw refused(file, `others can get into its folder ${folder} (mode ${mode}); a socket wants 0700`)
  }
}

/** A free name beside a socket's, to bind to. Throws a WatError `denied` when the folder's path is too long. */
export function temporaryName(file: string): string {
  return beside(file, crypto.randomBytes(6))
}

/**
 * Gives the name `file` to the listening socket that is bound to `bound`, whose own name goes. Returns
 * what takes the name away again, once, at the exit of the process at the latest.
 *
 * Rejects with a WatError `denied` when the name belongs to a live socket, to one that another process is
 * just replacing, or to anything that is no socket.
 */
export async function takeName(bound: string, file: string): Promise<() => void> {
  fs.chmodSync(bound, 0o600) // before anybody knows its name
  const socket = identify(bound)
  const release = (): void => {
    if (!held.delete(release)) return
    if (held.size === 0) process.off('exit', releaseAll)
    try {
      // Somebody may have removed our file by hand, and another server may have its name now.
      if (identify(file) === socket) fs.rmSync(file, { force: true })
      fs.rmSync(bound, { force: true })
    } catch {
      // The folder cannot be changed any more: what stays is dead, and the next server replaces it.
    }
  }
  // First, so that an exit in between leaves nothing.
  if (held.size === 0) process.on('exit', releaseAll)
  held.add(release)
  try {
    await link(bound, file, file)
  } catch (error) {
    release()
    throw error
  } finally {
    fs.rmSync(bound, { force: true })
  }
  return release
}

/** The name of the claim on a dead socket. */
export function claimName(file: string, identity: string): string {
  return beside(file, crypto.createHash('sha256').update(path.basename(file)).update(identity).digest())
}

/** Which file has this name; `undefined` when none has. A link changes neither, as it would the ctime. */
export function identify(file: string): string | undefined {
  const stat = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}:${stat.mtimeNs}`
}

const held = new Set<() => void>()

/** One listener for all: Node warns of a leak beyond ten. */
function releaseAll(): void {
  for (const release of held) release()
}

/** Links the socket to a name, for the sake of the file that was asked for. */
async function link(bound: string, name: string, file: string): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    try {
      fs.linkSync(bound, name)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw refused(file, 'no socket can be made', error)
    }
    await removeDead(bound, name, file)
  }
  throw inUse(file)
}

/** Each attempt that fails is another's success: this many are somebody who plays with us. */
const MOST_ATTEMPTS = 100

async function removeDead(bound: string, name: string, file: string): Promise<void> {
  const stat = fs.lstatSync(name, { throwIfNoEntry: false })
  const dead = identify(name)
  if (stat === undefined || dead === undefined) return // gone meanwhile
  if (!stat.isSocket()) throw refused(file, 'there is a file of that name that is no socket')
  if (await isLive(name)) throw inUse(file) // or about to be, if it is a claim
  const claim = claimName(name, dead)
  await link(bound, claim, file)
  try {
    // The dead stay dead, and nobody else has the claim: between this look and the removal nothing changes.
    if (identify(name) === dead && !(await isLive(name))) fs.rmSync(name, { force: true })
  } finally {
    fs.rmSync(claim, { force: true })
  }
}

/** Whether somebody listens there. Only a clear no is a no. */
async function isLive(file: string): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await new Promise(resolve => setTimeout(resolve, LOOK_PAUSE_MS))
    if (!DEAD.has(await connectCode(file))) return true
  }
  return false
}

const DEAD = new Set<string | undefined>(['ECONNREFUSED', 'ENOENT'])

/** macOS and the BSDs refuse a connection also when too many wait for a live server; Linux says EAGAIN. */
const LOOKS = process.platform === 'linux' ? 1 : 4
const LOOK_PAUSE_MS = 50

function connectCode(file: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = net.connect(file)
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
  })
}

/** A name in the same folder; hidden, and short, because it has to be within the limit too. */
function beside(file: string, bytes: Uint8Array): string {
  const folder = path.dirname(file)
  const name = path.join(folder, `.${Buffer.from(bytes).toString('base64url').slice(0, 7)}`)
  const over = Buffer.byteLength(name) - MAX_UNIX_PATH_BYTES
  if (over <= 0) return name
  throw refused(file, `the path of its folder ${folder} is ${over} bytes too long for this system`)
}

function inUse(file: string): WatError {
  return new WatError('denied', `unix:${file}: in use`, { data: { code: 'EADDRINUSE' } })
}

function refused(file: string, why: string, cause?: unknown): WatError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  const more = cause === undefined ? {} : { data: { code }, cause }
  return new WatError('denied', `unix:${file}: ${why}`, more)
}
