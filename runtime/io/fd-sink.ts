import type net from 'node:net'
import { patiently } from './patience.ts'
import type { Sink } from './pipe.ts'
import type { Kind } from './fd.ts'
import { writeBlocking, writeNow } from './fd-write.ts'
import { awaited, piped, polled, tried, type Outlet } from './outlet.ts'

/** Writes to a file descriptor, whatever it is. */
export function fdSink(fd: number, kind: Kind): Sink {
  return new FdSink(kind === 'pipe' || kind === 'socket' ? piped(fd) : polled(fd, kind))
}

/** The same, so that who fills it can be made to wait for room, blocking, while the event loop still turns. */
export function relievableSink(fd: number, kind: Kind): Sink {
  return new FdSink(kind === 'pipe' || kind === 'socket' ? tried(piped(fd)) : polled(fd, kind))
}

/**
 * Writes to a socket that Node has made, such as the stdin of a child: straight to its descriptor, which
 * takes half the time of going through the stream.
 */
export function socketSink(socket: net.Socket): Sink {
  return new FdSink(awaited(socket))
}

class FdSink implements Sink {
  readonly #outlet: Outlet
  #chunks: Uint8Array[] = []
  #kept = false
  /** The pipe is full, and nothing waits for room in it yet. */
  #full = false
  #immediate = false
  #waiting = false
  #done: ((error?: Error) => void) | undefined

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

  get held(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  relieve(leave: number, patienceMs: number): boolean {
    if (!this.#outlet.idle) return false // its byte may go out later, out of its place
    return patiently(
      () => this.#put(),
      () => this.held,
      leave,
      patienceMs,
    )
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
    if (this.#put()) return
    this.#keep()
    if (!wait) return this.#waitSoon()
    if (this.#waiting) return
    this.#waiting = true
    const [next] = this.#chunks as [Uint8Array]
    this.#outlet.wait(next, (written, failure) => {
      this.#waiting = false
      if (failure) return this.#finish(failure)
      this.#skip(written)
      this.#go()
    })
  }

  /** Writes what there is room for; true when that is the end of the write. */
  #put(): boolean {
    while (this.#chunks.length > 0) {
      try {
        this.#skip(writeNow(this.#outlet.fd(), this.#chunks))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EINTR') continue
        if (code === 'EAGAIN') return false
        this.#finish(error as Error)
        return true
      }
    }
    this.#finish()
    return true
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
    const done = this.#done
    this.#done = undefined
    done?.(error)
  }
}
