import fs from 'node:fs'
import type net from 'node:net'
import type { Source } from './pipe.ts'
import { setStreamRef, streamSource } from './streams.ts'
import { RawPipe } from './raw-pipe.ts'

/** Node's read buffer of one pipe; also the largest chunk that is parsed in one go. */
const READ_BYTES = 64 * 1024

export type Kind = 'pipe' | 'socket' | 'terminal' | 'file' | 'closed'

/** What an inherited file descriptor is. A shell may have closed it: then it is none of them. */
export function kindOf(fd: number): Kind {
  let stat: fs.Stats
  try {
    stat = fs.fstatSync(fd)
  } catch {
    return 'closed'
  }
  if (stat.isFIFO()) return 'pipe'
  if (stat.isSocket()) return 'socket'
  if (stat.isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(fd)) return 'terminal'
  return 'file'
}

/**
 * A file descriptor of our own for the same pipe. `O_NONBLOCK` belongs to the open file description,
 * which the shell's pipe shares with other programs: set there, a `cat` beside us would fail with
 * EAGAIN. Opening the pipe anew through /proc gives a description nobody shares; where that cannot
 * be done (sockets, systems without /proc) the inherited one is used.
 */
export function ownDescription(fd: number, kind: Kind, mode: 'read' | 'write'): number {
  if (kind !== 'pipe' && kind !== 'terminal') return fd // a file opened anew would start at its beginning
  const flags = (mode === 'read' ? fs.constants.O_RDONLY : fs.constants.O_WRONLY) | fs.constants.O_NONBLOCK
  try {
    const own = fs.openSync(`/proc/self/fd/${fd}`, flags)
    if (fd > 2) fs.closeSync(fd)
    return own
  } catch {
    return fd
  }
}

/** The bytes of a file descriptor, whatever it is. */
export function fdSource(fd: number, kind: Kind): Source {
  if (kind === 'closed') return emptySource()
  if (kind === 'pipe' || kind === 'socket') return pipeSource(fd)
  if (kind === 'terminal') return terminalSource(fd)
  return fileSource(fd)
}

/** What has ended already. */
export function emptySource(): Source {
  return { open: (_, onEnd) => queueMicrotask(onEnd), pause() {}, resume() {}, setRef() {}, close() {} }
}

/**
 * The bytes of a socket that Node has made, such as the stdout of a child: past its stream, which
 * allocates 64 KiB for every read.
 */
export function socketSource(socket: net.Socket): Source {
  const pipe = RawPipe.of(socket)
  if (!pipe) return streamSource(socket)
  const source = rawSource(pipe)
  return {
    ...source,
    open(onBytes, onEnd) {
      socket.pause() // or execa, which finds nobody reading it, lets it flow
      socket.once('error', () => socket.destroy())
      socket.once('close', onEnd)
      source.open(onBytes, onEnd)
    },
    setRef: on => setStreamRef(socket, on),
  }
}

function pipeSource(fd: number): Source {
  const pipe = RawPipe.open(fd)
  if (!pipe) return ownSocketSource(fd)
  const source = rawSource(pipe)
  return {
    ...source,
    open(onBytes, onEnd) {
      source.open(onBytes, onEnd)
      pipe.setRef(false)
    },
  }
}

function rawSource(pipe: RawPipe): Source {
  return {
    open(onBytes, onEnd) {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      pipe.read(buffer, length => onBytes(buffer.subarray(0, length)), onEnd)
    },
    pause: () => pipe.stop(),
    resume: () => pipe.start(),
    setRef: on => pipe.setRef(on),
    close: () => pipe.close(),
  }
}

function ownSocketSource(fd: number): Source {
  const { Socket } = process.getBuiltinModule('node:net')
  let onBytes: (chunk: Uint8Array) => void
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (length: number) => {
        onBytes(buffer.subarray(0, length))
        return true
      },
    },
  })
  return listenedSource(socket, handler => (onBytes = handler))
}

function terminalSource(fd: number): Source {
  const { ReadStream } = process.getBuiltinModule('node:tty')
  const terminal = new ReadStream(fd)
  return listenedSource(terminal, handler => terminal.on('data', handler))
}

function listenedSource(socket: net.Socket, listen: (handler: (chunk: Uint8Array) => void) => void): Source {
  return {
    open(onBytes, onEnd) {
      listen(onBytes)
      socket.pause()
      socket.once('end', onEnd)
      socket.once('error', () => socket.destroy()) // a broken pipe is the end of its input
      socket.once('close', onEnd)
      socket.unref()
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    setRef: on => setStreamRef(socket, on),
    close: () => void socket.destroy(),
  }
}

/** Files and devices are always readable as far as poll knows, so they are read by hand. */
function fileSource(fd: number): Source {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  let onBytes: (chunk: Uint8Array) => void
  let onEnd: () => void
  let wanted = false
  let busy = false
  const read = () => {
    if (busy || !wanted) return
    busy = true
    fs.read(fd, buffer, 0, READ_BYTES, null, (error, length) => {
      busy = false
      if (error || length === 0) return onEnd()
      onBytes(buffer.subarray(0, length))
      read()
    })
  }
  return {
    open(bytes, end) {
      onBytes = bytes
      onEnd = end
    },
    pause() {
      wanted = false
    },
    resume() {
      wanted = true
      read()
    },
    setRef() {}, // a read of a file is always about to end
    close() {
      wanted = false
    },
  }
}
