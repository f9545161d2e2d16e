import { Buffer } from 'node:buffer'
import type { Refer } from './reference.ts'
import { checkRoom, roomFor } from './too-large.ts'

const FIRST_BYTES = 4096

/** A long text that belongs between the bytes: where they become a text themselves, it need not be bytes before. */
export interface Aside {
  at: number
  text: string
}

/** Bytes that grow: what is written goes behind what is there. */
export class Out {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  /** How many of them count. */
  length = 0
  /** How large it may become, about; 0 is no bound. */
  most = 0
  /** For what is to be taken as text only. */
  readonly asides: Aside[] | undefined
  /** A value is being written here; its writer may not begin another. */
  busy = false
  /** Says what stands for the references, and for the bytes, that a value holds. Without it, it may hold no references. */
  refer: Refer | undefined

  constructor(forText = false) {
    if (forText) this.asides = []
  }

  /** Text of any kind, as UTF-8. */
  text(text: string): void {
    const most = mostBytes(text)
    if (this.length + most > this.bytes.length) this.bytes = grown(this.bytes, this.length, most)
    this.length += this.bytes.write(text, this.length)
  }

  /** What is there as text; it starts afresh. Throws `too-large` when that is more than a text can be. */
  takeText(): string {
    const { asides } = this
    try {
      if (asides !== undefined && asides.length > 0) return this.#joined(asides)
      return roomFor(this.length, () => this.bytes.toString('utf8', 0, this.length))
    } finally {
      this.clear()
    }
  }

  #joined(asides: Aside[]): string {
    let from = 0
    let size = this.length
    const texts: string[] = []
    for (const { at, text } of asides) {
      texts.push(this.bytes.toString('utf8', from, at), text)
      from = at
      size += text.length
    }
    texts.push(this.bytes.toString('utf8', from, this.length))
    return roomFor(size, () => texts.join(''))
  }

  /** Bytes that were written before. */
  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length)
      this.bytes = grown(this.bytes, this.length, bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Puts bytes in front of what is there from `start` on. */
  insert(start: number, pieces: readonly Uint8Array[]): void {
    const more = pieces.reduce((sum, { length }) => sum + length, 0)
    if (this.length + more > this.bytes.length) this.bytes = grown(this.bytes, this.length, more)
    this.bytes.copyWithin(start + more, start, this.length)
    let at = start
    for (const piece of pieces) {
      this.bytes.set(piece, at)
      at += piece.length
    }
    this.length += more
  }

  /** Puts text in place of the bytes from `start` to `end`. */
  replace(start: number, end: number, text: string): void {
    const more = Buffer.byteLength(text) - (end - start)
    if (this.length + more > this.bytes.length) this.bytes = grown(this.bytes, this.length, more)
    this.bytes.copyWithin(end + more, end, this.length)
    this.bytes.write(text, start)
    this.length += more
  }

  /** A copy of what is there; it starts afresh. */
  take(): Buffer {
    const copy = Buffer.from(this.bytes.subarray(0, this.length))
    this.clear()
    return copy
  }

  /** Forgets what is there, and the room that only a large value needed. */
  clear(): void {
    this.length = 0
    if (this.asides !== undefined && this.asides.length > 0) this.asides.length = 0
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }
}

const MAX_KEPT_BYTES = 256 * 1024

/**
 * A larger copy of the first `length` bytes, with room for `more`, and `spare` that may be needed. Throws `too-large`
 * when there is no room.
 */
export function grown(bytes: Buffer, length: number, more: number, spare = 0): Buffer {
  const least = length + more
  checkRoom(least)
  const larger = roomFor(least, () => Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, least + spare)))
  bytes.copy(larger, 0, 0, length)
  return larger
}

/** What the text takes at most as UTF-8. Only a long one is worth counting. */
export function mostBytes(text: string): number {
  return text.length < 1024 ? text.length * 3 : Buffer.byteLength(text)
}
