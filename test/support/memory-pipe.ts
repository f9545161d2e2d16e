import type { Sink, Source } from '../../runtime/io/pipe.ts'
import type { World } from './world.ts'

/** What memory holds that is no longer whose it was: nobody may read it any more. No UTF-8 has this byte. */
const POISON = 0xff

const SCRATCH_BYTES = 64 * 1024

export interface MemoryPipeOptions {
  /** What the pipe holds. */
  capacity?: number
  /** The most that comes out at once, or goes in. */
  chunk?: number
  /** Whether a write for which there is room is done before `write` returns, as on a file; mostly it is not. */
  sync?: boolean
  /** Whether `retry` is there and does something. */
  retry?: boolean
}

/** A pipe like those of the system, in memory: it takes what it has room for, and gives it in pieces of any size. */
export class MemoryPipe {
  readonly source: Source
  readonly sink: Sink
  /** Bytes that have come out. */
  delivered = 0
  readonly #world: World
  readonly #capacity: number
  readonly #chunk: number
  readonly #sync: boolean
  /** What is in the pipe, in pieces. */
  #inside: Uint8Array[] = []
  #insideBytes = 0
  /** The write under way: what of it is not in the pipe yet. */
  #writing: { chunks: Uint8Array[]; done: (error?: Error) => void } | undefined
  #broken = false
  /** The writer has closed it; nothing will come behind what is inside. */
  #closed = false
  #ended = false
  #flowing = false
  #taking = false
  #giving = false
  readonly #scratch: Uint8Array
  #onBytes: (chunk: Uint8Array) => void = () => {}
  #onEnd: (() => void) | undefined

  constructor(world: World, options: MemoryPipeOptions = {}) {
    this.#world = world
    this.#capacity = options.capacity ?? 64 * 1024
    this.#chunk = Math.min(options.chunk ?? SCRATCH_BYTES, SCRATCH_BYTES)
    this.#scratch = Buffer.alloc(this.#chunk) // as the pipes of the system give them: a slice of one is a view
    this.#sync = options.sync ?? false
    this.source = {
      open: (onBytes, onEnd) => {
        if (this.#onEnd) throw new Error('a source is opened once')
        this.#onBytes = onBytes
        this.#onEnd = onEnd
      },
      pause: () => void (this.#flowing = false),
      resume: () => {
        this.#flowing = true
        this.#giveSoon()
      },
      setRef() {},
      close: () => {
        this.breakReader()
        this.#now(() => this.#end())
      },
    }
    this.sink = {
      write: (chunks, done) => this.#write(chunks, done),
      writeSync: chunks => {
        for (const chunk of [...(this.#writing?.chunks ?? []), ...chunks]) this.#put(Uint8Array.from(chunk))
        if (this.#writing) this.#writing.chunks = []
        this.#giveSoon()
      },
      end: done => {
        if (this.#writing) throw new Error('a sink is ended while it writes')
        this.#world.post(() => {
          this.breakWriter()
          done()
        })
      },
      close: () => this.#now(() => this.breakWriter()),
    }
    if (options.retry) this.sink.retry = () => this.#take()
  }

  /** Whether a write waits for room. */
  get blocked(): boolean {
    return this.#writing !== undefined
  }

  /** The writer is gone: what is inside still comes, and then the end. */
  breakWriter(): void {
    this.#closed = true
    this.#fail('EPIPE')
    this.#giveSoon()
  }

  /** The reader is gone: who writes is told. */
  breakReader(): void {
    this.#broken = true
    this.#inside = []
    this.#insideBytes = 0
    this.#world.post(() => this.#fail('EPIPE'))
  }

  /** At once or soon: both happen. */
  #now(act: () => void): void {
    if (this.#world.chance(0.5)) act()
    else this.#world.post(act)
  }

  #write(chunks: Uint8Array[], done: (error?: Error) => void): void {
    if (this.#writing) throw new Error('a sink is written to before it is done')
    if (chunks.length === 0) throw new Error('nothing is written')
    // The memory of the last chunk is the writer's again when this returns: it must be ready for that.
    const last = chunks.pop() as Uint8Array
    this.#writing = { chunks: [...chunks, Uint8Array.from(last)], done }
    last.fill(POISON)
    if (this.#sync) this.#take()
    if (this.#writing) this.#takeSoon()
  }

  #takeSoon(): void {
    if (this.#taking) return
    this.#taking = true
    this.#world.post(() => {
      this.#taking = false
      this.#take()
    })
  }

  /** The system takes some of what is written. */
  #take(): void {
    const writing = this.#writing
    if (!writing) return
    if (this.#broken || this.#closed) return this.#fail('EPIPE')
    let most = this.#sync ? Infinity : 1 + this.#world.random.below(2 * this.#chunk)
    while (writing.chunks.length > 0 && most > 0) {
      const room = Math.min(this.#capacity - this.#insideBytes, most)
      if (room <= 0) break
      const [chunk] = writing.chunks as [Uint8Array]
      const part = Uint8Array.from(chunk.subarray(0, room))
      this.#put(part)
      most -= part.length
      chunk.fill(POISON, 0, part.length)
      if (part.length === chunk.length) writing.chunks.shift()
      else writing.chunks[0] = chunk.subarray(part.length)
    }
    this.#giveSoon()
    if (writing.chunks.length === 0) {
      this.#writing = undefined
      writing.done()
    } else if (this.#insideBytes < this.#capacity) this.#takeSoon()
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#inside.push(bytes)
    this.#insideBytes += bytes.length
  }

  #fail(code: string): void {
    const writing = this.#writing
    this.#writing = undefined
    writing?.done(Object.assign(new Error(code), { code }))
  }

  #giveSoon(): void {
    if (this.#giving || !this.#flowing || this.#ended) return
    if (this.#insideBytes === 0 && !this.#closed) return
    this.#giving = true
    this.#world.post(() => {
      this.#giving = false
      this.#give()
    })
  }

  /** Some of what is inside comes out. */
  #give(): void {
    if (!this.#flowing || this.#ended) return
    if (this.#insideBytes === 0) {
      if (this.#closed) this.#end()
      return
    }
    const length = this.#fillScratch(1 + this.#world.random.below(this.#chunk))
    this.delivered += length
    const chunk = this.#scratch.subarray(0, length)
    this.#onBytes(chunk)
    chunk.fill(POISON) // it is used again
    if (this.#writing) this.#takeSoon()
    this.#giveSoon()
  }

  #fillScratch(most: number): number {
    let length = 0
    while (length < most && this.#inside.length > 0) {
      const [first] = this.#inside as [Uint8Array]
      const part = first.subarray(0, most - length)
      this.#scratch.set(part, length)
      length += part.length
      if (part.length === first.length) this.#inside.shift()
      else this.#inside[0] = first.subarray(part.length)
    }
    this.#insideBytes -= length
    return length
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd?.()
  }
}
