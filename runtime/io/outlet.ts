import fs from 'node:fs'
import type net from 'node:net'
import type { Kind } from './fd.ts'
import { RawPipe } from './raw-pipe.ts'

/** How often what cannot tell of room is tried. */
const POLL_MS = 5

/** What is written to, and how to wait for room in it. */
export interface Outlet {
  /** Its descriptor; below 0 once it is closed: the number may be another file's by then. */
  fd(): number
  /** Waits until more can be written; may write the first byte of `next` itself, and says how many it wrote. */
  wait(next: Uint8Array, then: (written: number, error?: Error) => void): void
  /** Bytes that a wait under way has written already, although nobody has been told yet. */
  written(): number
  /** Whether a wait writes nothing, so that others may write during it. */
  idle?: true
  end(done: () => void): void
  close(): void
}

/** A pipe or a socket that this process has inherited. */
export function piped(fd: number): Outlet {
  const pipe = RawPipe.open(fd)
  pipe?.setRef(false) // a write under way keeps this process, the pipe itself does not
  if (pipe) return raw(pipe)
  const { Socket } = process.getBuiltinModule('node:net')
  const socket = new Socket({ fd, readable: false, writable: true })
  socket.unref()
  return {
    ...awaited(socket),
    end(done) {
      socket.destroy() // that closes the descriptor
      done()
    },
  }
}

interface Handle {
  fd?: number
  writeQueueSize?: number
}

function handleOf(socket: net.Socket): Handle | null | undefined {
  return (socket as net.Socket & { _handle?: Handle | null })._handle
}

/**
 * libuv tells when a pipe has room only to a write of its own, so it gets exactly one byte. A longer
 * write could be half done when the process has to exit, and nobody could say how far it got. Of one
 * byte it can be told, also before the callback: with room again it is written at once. `held`: the bytes
 * that libuv still has.
 */
function byOneByte(
  write: (byte: Uint8Array, done: (error?: Error | null) => void) => void,
  held: () => number,
): Pick<Outlet, 'wait' | 'written'> {
  let waiting = false
  return {
    wait(next, then) {
      waiting = true
      write(next.subarray(0, 1), error => {
        waiting = false
        if (error) then(0, error)
        else then(1)
      })
    },
    written: () => (waiting && held() === 0 ? 1 : 0),
  }
}

/** A socket that Node has made. */
export function awaited(socket: net.Socket): Outlet {
  socket.on('error', () => {}) // the write's callback reports it
  return {
    fd: () => handleOf(socket)?.fd ?? -1,
    ...byOneByte(
      (byte, done) => void socket.write(byte, done),
      // What libuv still holds: the stream's own length is behind when the byte goes out at once.
      () => handleOf(socket)?.writeQueueSize ?? socket.writableLength,
    ),
    end(done) {
      if (socket.destroyed) done()
      else socket.end(done)
    },
    close: () => void socket.destroy(),
  }
}

/** The same, without a socket. */
function raw(pipe: RawPipe): Outlet {
  return {
    fd: () => pipe.fd,
    ...byOneByte(
      (byte, done) => pipe.write(byte, done),
      () => pipe.unwritten,
    ),
    end(done) {
      pipe.close()
      done()
    },
    close: () => pipe.close(),
  }
}

/** Nobody tells of room: it is looked for now and then. */
const byTrying: Pick<Outlet, 'wait' | 'written' | 'idle'> = {
  idle: true,
  wait: (_next, then) => void setTimeout(() => then(0), POLL_MS),
  written: () => 0,
}

/** The same without waiting for it: what is not written in one go is tried again now and then. */
export function tried(outlet: Outlet): Outlet {
  return {
    ...outlet,
    ...byTrying,
  }
}

/** A terminal stopped with Ctrl-S, or set to non-blocking by somebody else: look again now and then. */
export function polled(fd: number, kind: Kind): Outlet {
  let open = kind !== 'closed'
  return {
    fd: () => (open ? fd : -1),
    ...byTrying,
    end(done) {
      if (open && fd > 2) fs.closeSync(fd)
      open = false
      done()
    },
    close() {},
  }
}
