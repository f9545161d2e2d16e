import { Buffer } from 'node:buffer'

const LEAST_BYTES = 256

/** Bytes that come in pieces of any size, put together in linear time and no more memory than twice their own. */
export class Gathered {
  length = 0
  #buffer = Buffer.alloc(0)

  add(piece: Uint8Array): void {
    const length = this.length + piece.length
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, length, 2 * this.#buffer.length))
      this.#buffer.copy(larger, 0, 0, this.length)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.length)
    this.length = length
  }

  /** What has been gathered, still its own. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }

  /** What has been gathered, the caller's from now on. */
  take(): Buffer {
    const { bytes } = this
    this.#buffer = Buffer.alloc(0)
    this.length = 0
    return bytes
  }
}
