import { Buffer } from 'node:buffer'
import type { Sink, Source } from './pipe.ts'

/** Carries bytes from a source to a sink. */
export function pump(source: Source, sink: Sink): Pump {
  return new Pump(source, sink)
}

/** Carries bytes from a source to a sink, no faster than that takes them, and then the end. */
export class Pump {
  received = 0
  readonly #source: Source
  readonly #sink: Sink
  readonly #done = Promise.withResolvers<void>()
  #queue: Uint8Array[] = []
  #writing = false
  #ended = false
  #finished = false

  constructor(source: Source, sink: Sink) {
    this.#source = source
    this.#sink = sink
    source.open(
      chunk => this.#onBytes(chunk),
      () => this.#end(),
    )
    source.resume()
  }

  /** Whether everything the source had has come. */
  get drained(): boolean {
    return this.#ended
  }

  /** Whether the sink has yet to take what has come. */
  get blocked(): boolean {
    return this.#writing
  }

  /** Takes what has come as all there will be; resolves when the sink has it, or never will. */
  finish(): Promise<void> {
    if (!this.#ended) this.#source.close()
    this.#end()
    return this.#done.promise
  }

  /** Nobody takes anything any more. */
  drop(): void {
    this.#queue = []
    this.#ended = true
    this.#source.close()
    this.#settle()
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#finished) return
    this.received += chunk.length
    if (this.#writing) this.#queue.push(Buffer.from(chunk))
    else this.#write([chunk])
  }

  #write(chunks: Uint8Array[]): void {
    this.#writing = true
    let waits = false
    this.#sink.write(chunks, error => {
      this.#writing = false
      const queue = this.#queue
      this.#queue = []
      if (error) this.drop()
      else if (queue.length > 0) this.#write(queue)
      else if (this.#ended) this.#settle()
      else if (waits) this.#source.resume()
    })
    waits = this.#writing
    if (waits) this.#source.pause()
  }

  #end(): void {
    this.#ended = true
    if (!this.#writing) this.#settle()
  }

  #settle(): void {
    if (this.#finished) return
    this.#finished = true
    this.#sink.end(() => this.#done.resolve())
  }
}
