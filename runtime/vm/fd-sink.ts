import fs from 'node:fs'
import type net from 'node:net'
import type { Sink } from '../wire/pipe.ts'
import type { Kind } from './fd.ts'
import { writeBlocking, writeNow } from './fd-write.ts'
import { RawPipe } from './raw-pipe.ts'

/** Writes to a file descriptor, whatever it is. */
export function fdSink(fd: number, kind: Kind): Sink {
  if (kind !== 'pipe' && kind !== 'socket') return new FdSink(polled(fd, kind))
  const pipe = RawPipe.open(fd)
  pipe?.setRef(false) // a write under way keeps this process, the pipe itself does not
  if (pipe) return new FdSink(raw(pipe))
  const { Socket } = process.getBuiltinModule('node:net')
  const socket = new Socket({ fd, readable: false, writable: true })
  socket.unref()
  return new FdSink({
    ...awaited(socket),
    end(done) {
      socket.destroy() // that closes the descriptor
      done()
    },
  })
}

/**
 * Writes to a socket that Node has made, such as the stdin of a child: straight to its descriptor, which
 * takes half the time of going through the stream.
 */
export function socketSink(socket: net.Socket): Sink {
  return new FdSink(awaited(socket))
}

/** What is written to, and how to wait for room in it. */
interface Outlet {
  /** Its descriptor; below 0 once it is closed: the number may be another file's by then. */
  fd(): number
  /** Waits until more can be written; may write the first byte of `next` itself, and says how many it wrote. */
  wait(next: Uint8Array, then: (written: number, error?: Error) => void): void
  /** Bytes that a wait under way has written already, although nobody has been told yet. */
  written(): number
  end(done: () => void): void
  close(): void
}

class FdSink implements Sink {
  readonly #outlet: Outlet
  #chunks: Uint8Array[] = []
  #kept = false
  /** The pipe is full, and nothing waits for room in it yet. */
  #full = false
  #immediate = false
  #done: (error?: Error) => void = () => {}

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  write(chunks: Uint8Array[], done: (error?: Error) => void): void {
    this.#chunks = chunks
    this.#kept = false
    this.#done = done
    this.#go()
  }

  retry(): void {
    if (this.#full) this.#go()
  }

  left(): number {
    return this.#chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)
  }

  writeSync(chunks: Uint8Array[]): Error | undefined {
    this.#skip(this.#outlet.written())
    const all = Buffer.concat([...this.#chunks, ...chunks])
    this.#chunks = []
    return writeBlocking(this.#outlet.fd(), all)
  }

  end(done: () => void): void {
    this.#outlet.end(done)
  }

  close(): void {
    this.#outlet.close()
  }

  #go(wait = false): void {
    this.#full = false
    while (this.#chunks.length > 0) {
      try {
        this.#skip(writeNow(this.#outlet.fd(), this.#chunks))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EINTR') continue
        if (code !== 'EAGAIN') return this.#finish(error as Error)
        this.#keep()
        if (!wait) return this.#waitSoon()
        const [next] = this.#chunks as [Uint8Array]
        return this.#outlet.wait(next, (written, failure) => {
          if (failure) return this.#finish(failure)
          this.#skip(written)
          this.#go()
        })
      }
    }
    this.#finish()
  }

  /**
   * While this process reads on, the other side may be waiting for more: what is left of this turn of the
   * event loop can try again. Only then a wait begins, which nothing can cut short.
   */
  #waitSoon(): void {
    this.#full = true
    if (this.#immediate) return
    this.#immediate = true
    setImmediate(() => {
      this.#immediate = false
      if (this.#full) this.#go(true)
    })
  }

  /** From now on the memory of the last chunk is no longer ours. */
  #keep(): void {
    if (this.#kept) return
    this.#kept = true
    this.#chunks.push(Buffer.from(this.#chunks.pop() as Uint8Array))
  }

  /** Forgets what has been written. */
  #skip(written: number): void {
    let left = written
    while (left > 0 && this.#chunks.length > 0) {
      const [first] = this.#chunks as [Uint8Array]
      if (left < first.length) {
        this.#chunks[0] = first.subarray(left)
        return
      }
      left -= first.length
      this.#chunks.shift()
    }
  }

  #finish(error?: Error): void {
    this.#chunks = []
    this.#done(error)
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
function awaited(socket: net.Socket): Outlet {
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

/** A terminal stopped with Ctrl-S, or set to non-blocking by somebody else: look again now and then. */
function polled(fd: number, kind: Kind): Outlet {
  let open = kind !== 'closed'
  return {
    fd: () => (open ? fd : -1),
    wait: (_next, then) => void setTimeout(() => then(0), 10),
    written: () => 0,
    end(done) {
      if (open && fd > 2) fs.closeSync(fd)
      open = false
      done()
    },
    close() {},
  }
}
