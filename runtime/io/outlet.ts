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
 * byte it can be told, also before the callback: with room again it is written at once.
 */
export function awaited(socket: net.Socket): Outlet {
  socket.on('error', () => {}) // the write's callback reports it
  let waiting = false
  return {
    fd: () => handleOf(socket)?.fd ?? -1,
    wait(next, then) {
      waiting = true
      socket.write(next.subarray(0, 1), error => {
        waiting = false
        if (error) then(0, error)
        else then(1)
      })
    },
    written() {
      // What libuv still holds: the stream's own length is behind when the byte goes out at once.
      const held = handleOf(socket)?.writeQueueSize ?? socket.writableLength
      return waiting && held === 0 ? 1 : 0
    },
    end(done) {
      if (socket.destroyed) done()
      else socket.end(done)
    },
    close: () => void socket.destroy(),
  }
}

/** The same, without a socket. */
function raw(pipe: RawPipe): Outlet {
  let waiting = false
  return {
    fd: () => pipe.fd,
    wait(next, then) {
      waiting = true
      pipe.write(next.subarray(0, 1), error => {
        waiting = false
        if (error) then(0, error)
        else then(1)
      })
    },
    written: () => (waiting && pipe.unwritten === 0 ? 1 : 0),
    end(done) {
      pipe.close()
      done()
    },
    close: () => pipe.close(),
  }
}

/** The same without waiting for it: what is not written in one go is tried again now and then. */
export function tried(outlet: Outlet): Outlet {
  return {
    ...outlet,
    idle: true,
    wait: (_next, then) => void setTimeout(() => then(0), POLL_MS),
    written: () => 0,
  }
}

/** A terminal stopped with Ctrl-S, or set to non-blocking by somebody else: look again now and then. */
export function polled(fd: number, kind: Kind): Outlet {
  let open = kind !== 'closed'
  return {
    fd: () => (open ? fd : -1),
    idle: true,
    wait: (_next, then) => void setTimeout(() => then(0), POLL_MS),
    written: () => 0,
    end(done) {
      if (open && fd > 2) fs.closeSync(fd)
      open = false
      done()
    },
    close() {},
  }
}
