import { Buffer } from 'node:buffer'
import { malformed } from './malformed.ts'
import { RAW_BYTES, RAW_HEADER_BYTES, RAW_MARK } from './raw.ts'

/** No UTF-8 has this byte either. */
const NO_TEXT = Uint8Array.of(0xfe)

/** What reads the text. */
interface Text {
  push(bytes: Uint8Array): void
  /** Inside a form. */
  readonly pending: boolean
}

/**
 * Tells raw bytes from text in what comes. They belong to the frame that follows them, so the text behind them
 * waits here until everything before them has been read.
 */
export class RawInput {
  /** Those of the frame that comes next, in their places. */
  list: Uint8Array[] = []
  /** What they take, or would: of more than `maxFrame` none is kept. */
  bytes = 0
  /** What has come behind the last thing that was read: copies. */
  readonly #rest: Uint8Array[] = []
  #restBytes = 0
  #payload: Buffer | undefined
  /** The payload stands where none can stand, and is dropped. */
  #astray = false
  /** Bytes of the payload that are to come. */
  #left = 0
  readonly #text: Text
  readonly #maxFrame: number
  readonly #knows: () => boolean

  /** `knows`: whether the other side may send them. */
  constructor(text: Text, maxFrame: number, knows: () => boolean) {
    this.#text = text
    this.#maxFrame = maxFrame
    this.#knows = knows
  }

  /** Bytes that have come and are not text that has been read. */
  get held(): number {
    return this.#restBytes + this.bytes - (this.#astray ? 0 : this.#left)
  }

  /** Whether something raw has begun that is not complete, or whose frame has not come. */
  get unfinished(): boolean {
    return this.#restBytes > 0 || this.#left > 0 || this.list.length > 0
  }

  /** The chunk may be overwritten afterwards. */
  push(chunk: Uint8Array): void {
    const bytes = this.#left > 0 && this.#rest.length === 0 ? this.#fill(chunk) : chunk
    if (bytes.length === 0) return
    if (this.#rest.length === 0 && this.#left === 0 && bytes.indexOf(RAW_MARK) === -1)
      return this.#text.push(bytes)
    this.#rest.push(Buffer.from(bytes))
    this.#restBytes += bytes.length
  }

  /** Everything before has been read: goes on. False when there is nothing to go on with. */
  advance(): boolean {
    const [first] = this.#rest
    if (!first) return false
    if (this.#left > 0) this.#skip(first.length - this.#fill(first).length)
    else if (first[0] !== RAW_MARK || !this.#knows()) this.#pushText(first)
    else return this.#begin()
    return true
  }

  /** What `#wat/bytes` and a number stands for. One that stands twice is the same bytes. */
  at(number: unknown): Uint8Array {
    const bytes = this.list[number as number]
    if (typeof number !== 'number' || !bytes) throw malformed('#wat/bytes names no bytes ahead of its frame')
    return bytes
  }

  /** They have been read with their frame. */
  clear(): void {
    if (this.bytes === 0) return
    this.list = []
    this.bytes = 0
  }

  /** Nothing more will come: forgets what is not complete. */
  forget(): void {
    this.#rest.length = this.#restBytes = this.#left = 0
    this.#payload = undefined
    this.#astray = false
    this.clear()
  }

  /** What stands here is malformed. It must not be the mark: that could be led on, and be one elsewhere. */
  #foul(): void {
    this.#text.push(NO_TEXT)
  }

  /** To a side that knows no raw bytes, the mark is part of the text, which is malformed there. */
  #pushText(bytes: Uint8Array): void {
    const next = bytes.indexOf(RAW_MARK, 1)
    const text = next === -1 ? bytes : bytes.subarray(0, next)
    this.#text.push(text)
    this.#skip(text.length)
  }

  /** False: the header is not complete. */
  #begin(): boolean {
    const header = this.#peek(RAW_HEADER_BYTES)
    if (header.length > 1 && header[1] !== RAW_BYTES) {
      this.#foul()
      this.#skip(1)
      return true
    }
    if (header.length < RAW_HEADER_BYTES) return false
    this.#left = header.readUInt32BE(2)
    if (this.#text.pending) {
      this.#foul() // it is none of the form that it stands in
      this.#astray = true
    } else {
      this.bytes += this.#left
      if (this.bytes <= this.#maxFrame) this.#payload = Buffer.allocUnsafeSlow(this.#left)
    }
    this.#skip(RAW_HEADER_BYTES)
    if (this.#left === 0) this.#end()
    return true
  }

  /** Takes what belongs to the payload, and gives what is behind it. */
  #fill(bytes: Uint8Array): Uint8Array {
    const length = Math.min(this.#left, bytes.length)
    const payload = this.#payload
    payload?.set(length === bytes.length ? bytes : bytes.subarray(0, length), payload.length - this.#left)
    this.#left -= length
    if (this.#left === 0) this.#end()
    return bytes.subarray(length)
  }

  #end(): void {
    const { buffer, byteOffset, length } = this.#payload ?? Buffer.alloc(0)
    if (!this.#astray) this.list.push(new Uint8Array(buffer, byteOffset, length))
    this.#payload = undefined
    this.#astray = false
  }

  /** The first of those that have come. */
  #peek(length: number): Buffer {
    const bytes: number[] = []
    for (const chunk of this.#rest) {
      if (bytes.length === length) break
      bytes.push(...chunk.subarray(0, length - bytes.length))
    }
    return Buffer.from(bytes)
  }

  #skip(length: number): void {
    this.#restBytes -= length
    for (let left = length; left > 0;) {
      const first = this.#rest[0] as Uint8Array
      if (left < first.length) this.#rest[0] = first.subarray(left)
      else this.#rest.shift()
      left -= Math.min(left, first.length)
    }
  }
}
