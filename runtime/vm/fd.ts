import fs from 'node:fs'
import net from 'node:net'
import type { Sink, Source } from '../wire/pipe.ts'

/** Node's read buffer of one pipe; also the largest chunk that is parsed in one go. */
const CHUNK_BYTES = 64 * 1024

type Kind = 'pipe' | 'socket' | 'terminal' | 'file' | 'closed'

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

function emptySource(): Source {
  return { open: (_, onEnd) => queueMicrotask(onEnd), pause() {}, resume() {}, setRef() {}, close() {} }
}

function pipeSource(fd: number): Source {
  let onBytes: (chunk: Uint8Array) => void
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  const socket = new net.Socket({
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
  return streamSource(socket, handler => (onBytes = handler))
}

function terminalSource(fd: number): Source {
  const { ReadStream } = process.getBuiltinModule('node:tty')
  const terminal = new ReadStream(fd)
  return streamSource(terminal, handler => terminal.on('data', handler))
}

function streamSource(socket: net.Socket, listen: (handler: (chunk: Uint8Array) => void) => void): Source {
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
    setRef: on => void (on ? socket.ref() : socket.unref()),
    close: () => void socket.destroy(),
  }
}

/** Files and devices are always readable as far as poll knows, so they are read by hand. */
function fileSource(fd: number): Source {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let onBytes: (chunk: Uint8Array) => void
  let onEnd: () => void
  let wanted = false
  let busy = false
  const read = () => {
    if (busy || !wanted) return
    busy = true
    fs.read(fd, buffer, 0, CHUNK_BYTES, null, (error, length) => {
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

/** Writes to a file descriptor, whatever it is. */
export function fdSink(fd: number, kind: Kind): Sink {
  const waiter = kind === 'pipe' || kind === 'socket' ? pipeWaiter(fd) : timerWaiter()
  let bytes: Uint8Array = Buffer.alloc(0)
  let offset = 0
  let done: (error?: Error) => void = () => {}

  const go = () => {
    while (offset < bytes.length) {
      try {
        offset += fs.writeSync(fd, bytes, offset)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EINTR') continue
        if (code === 'EAGAIN') return waiter.wait(bytes, offset, afterWait)
        return finish(error as Error)
      }
    }
    finish()
  }
  const afterWait = (written: number, error?: Error) => {
    if (error) return finish(error)
    offset += written
    go()
  }
  const finish = (error?: Error) => {
    bytes = Buffer.alloc(0)
    offset = 0
    done(error)
  }
  return {
    write(text, onDone) {
      bytes = Buffer.from(text)
      offset = 0
      done = onDone
      go()
    },
    writeSync(text) {
      writeBlocking(fd, bytes.subarray(offset + waiter.written))
      bytes = Buffer.alloc(0)
      offset = 0
      writeBlocking(fd, Buffer.from(text))
    },
    end(onEnd) {
      waiter.close()
      if (kind !== 'closed' && fd > 2) closeQuietly(fd, waiter.owns)
      onEnd()
    },
    close() {
      waiter.close()
    },
  }
}

/** Waits for room in a full pipe or terminal, sleeping between tries: nothing else may run any more. */
function writeBlocking(fd: number, bytes: Uint8Array): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  let offset = 0
  while (offset < bytes.length) {
    try {
      offset += fs.writeSync(fd, bytes, offset)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') Atomics.wait(sleeper, 0, 0, 1)
      else if (code !== 'EINTR') return // nobody will ever read it
    }
  }
}

interface Waiter {
  /** Whether it closes the file descriptor itself. */
  owns: boolean
  /** Bytes that a wait under way has written already, although nobody has been told yet. */
  readonly written: number
  /** Waits until more can be written; may write the first bytes itself, and says how many. */
  wait(bytes: Uint8Array, offset: number, then: (written: number, error?: Error) => void): void
  close(): void
}

/**
 * libuv tells when a pipe has room only to a write of its own, so it gets exactly one byte. A longer
 * write could be half done when the process has to exit, and nobody could say how far it got. Of one
 * byte it can be told, also before the callback: with room again it is written at once.
 */
function pipeWaiter(fd: number): Waiter {
  const socket = new net.Socket({ fd, readable: false, writable: true })
  socket.on('error', () => {}) // the write's callback reports it
  let waiting = false
  return {
    owns: true,
    get written() {
      // What libuv still holds: the stream's own length is behind when the byte goes out at once.
      const { _handle: handle } = socket as net.Socket & { _handle?: { writeQueueSize?: number } | null }
      const held = handle?.writeQueueSize ?? socket.writableLength
      return waiting && held === 0 ? 1 : 0
    },
    wait(bytes, offset, then) {
      waiting = true
      socket.write(bytes.subarray(offset, offset + 1), error => {
        waiting = false
        if (error) then(0, error)
        else then(1)
      })
    },
    close: () => void socket.destroy(),
  }
}

/** A terminal stopped with Ctrl-S, set to non-blocking by somebody else: look again now and then. */
function timerWaiter(): Waiter {
  return { owns: false, written: 0, wait: (_b, _o, then) => void setTimeout(() => then(0), 10), close() {} }
}

function closeQuietly(fd: number, owned: boolean): void {
  if (!owned) fs.closeSync(fd)
}
