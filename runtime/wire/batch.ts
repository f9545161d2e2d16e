import { Buffer } from 'node:buffer'
import { Out } from '../edn/out.ts'
import { writeWithin } from './fit.ts'
import type { LineWriter } from './frames.ts'
import { CHUNK_BYTES } from './limits.ts'

/** Lines that wait to be written, in their order: a batch that grows, and what waits before it in chunks. */
export class Batch {
  readonly #out = new Out()
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  /** Lines that came while another was being written: they go behind it. */
  #behind: Uint8Array[] = []

  get bytes(): number {
    return this.#chunkBytes + this.#out.length
  }

  /** What has gathered since the last chunk. */
  get gathered(): number {
    return this.#out.length
  }

  /** Whether a value is being written: then nothing else can be. */
  get busy(): boolean {
    return this.#out.busy
  }

  /** Writes a line straight behind what is there, and gives its length. Throws as `writeWithin` does. */
  write(write: LineWriter, id: number, body: unknown, maxFrame: number): number {
    let bytes: number
    try {
      bytes = writeWithin(this.#out, write, id, body, maxFrame)
    } catch (error) {
      this.#append()
      throw error
    }
    if (this.#behind.length > 0) this.#append()
    return bytes
  }

  #append(): void {
    for (const line of this.#behind.splice(0)) this.#out.append(line)
  }

  /** Lines that are written already. A getter of a value that is being written may cause some. */
  push(lines: string | Uint8Array): void {
    if (this.#out.busy) this.#behind.push(typeof lines === 'string' ? Buffer.from(lines) : lines)
    else if (typeof lines === 'string') this.#out.text(lines)
    else this.#out.append(lines)
  }

  /** A line that goes before all. */
  unshift(line: string): void {
    const bytes = Buffer.from(line)
    this.#chunks.unshift(bytes)
    this.#chunkBytes += bytes.length
  }

  /** Puts aside what has gathered, once it is a chunk: to grow on would mean to copy it. */
  putAside(): void {
    if (this.#out.length < CHUNK_BYTES) return
    const chunk = this.#out.take()
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
  }

  /** Takes everything. The last chunk is the batch itself, as a sink expects it. */
  take(): Uint8Array[] {
    const chunks = this.#chunks
    if (this.#out.length > 0) chunks.push(this.#out.bytes.subarray(0, this.#out.length))
    this.#out.clear()
    this.#chunks = []
    this.#chunkBytes = 0
    return chunks
  }
}
