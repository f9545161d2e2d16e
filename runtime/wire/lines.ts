import { Buffer } from 'node:buffer'
import { Reader } from '../edn/index.ts'
import { tags, type Frame } from './frames.ts'
import { readHead, type Head } from './head.ts'
import { Unread } from './unread.ts'

/** Which bodies are not to be read. */
export interface Lazy {
  /** Whether there are any. */
  active(): boolean
  /** That of a request. `head`: where it has one. */
  request(head: Head | undefined): boolean
  /** That of the reply to the call with this id. */
  reply(id: number): boolean
}

/** A frame whose body may stay unread. */
interface Kind {
  readonly kind: 'request' | 'reply' | 'call' | 'return'
  /** Whether it asks or answers. */
  readonly asks: boolean
  readonly headed: boolean
  /** What it begins with. */
  readonly start: Buffer
}

const kindOf = (kind: Kind['kind'], asks: boolean, headed: boolean): Kind => ({
  kind,
  asks,
  headed,
  start: Buffer.from(`#${tags[kind]} [`),
})

const KINDS = [
  kindOf('request', true, false),
  kindOf('reply', false, false),
  kindOf('call', true, true),
  kindOf('return', false, true),
]

/** Where the letter stands by which they can be told apart: `#wat/req`, `#wat/rep`, `#wat/call`, `#wat/ret`. */
const DECIDING = 7
const BY_LETTER: (Kind | undefined)[] = []
for (const kind of KINDS) BY_LETTER[kind.start[DECIDING] as number] = kind

/**
 * Text on its way to the reader. While there are bodies that are not to be read, it goes by lines, for that is what a
 * writer makes of each frame: those of such bodies become frames as they are, and the reader gets the others.
 */
export class Lines {
  /** What the last frame took that came from here. */
  frameBytes = 0
  /** Text that the reader has not got. */
  #rest: Uint8Array[] = []
  #restBytes = 0
  /** Where that begins in the first of them. */
  #at = 0
  /** The one of them that may be overwritten once what is there has been worked off, and bodies that lie in it. */
  #lent: Uint8Array | undefined
  readonly #lentTo: Unread[] = []
  /** How many of these have no line feed. */
  #searched = 0
  /** The reader has got whole lines. */
  #atStart = true
  readonly #reader: Reader
  readonly #maxFrame: number
  readonly #lazy: Lazy

  constructor(reader: Reader, maxFrame: number, lazy: Lazy) {
    this.#reader = reader
    this.#maxFrame = maxFrame
    this.#lazy = lazy
  }

  /** Bytes that have come, and are not the reader's. */
  get held(): number {
    return this.#restBytes
  }

  /** Inside a form, or a line. */
  get pending(): boolean {
    return this.#reader.pending || this.#restBytes > 0
  }

  /** The bytes may be overwritten after the next `keep`. */
  push(bytes: Uint8Array): void {
    if (this.#restBytes === 0 && !this.#lazy.active()) return this.#give(bytes)
    this.keep()
    this.#lent = bytes
    this.#rest.push(bytes)
    this.#restBytes += bytes.length
  }

  /** What is left of it gets memory of its own, and so do bodies that somebody still has. */
  keep(): void {
    const lent = this.#lent
    if (!lent) return
    for (const body of this.#lentTo) if (body.bytes === lent) body.own()
    this.#lentTo.length = 0
    this.#lent = undefined
    const last = this.#rest.length - 1
    if (this.#rest[last] !== lent) return
    this.#rest[last] = Buffer.from(last === 0 ? lent.subarray(this.#at) : lent)
    if (last === 0) this.#at = 0
  }

  /** The reader gets all that is left. */
  end(): void {
    this.#rest.forEach((bytes, n) => this.#give(n === 0 ? bytes.subarray(this.#at) : bytes))
    this.#rest = []
    this.#restBytes = this.#searched = this.#at = 0
  }

  /** The reader has read what it has got: goes on. True: it has got more; false: there is no more. */
  advance(raws: readonly Uint8Array[]): Frame | boolean {
    if (this.#restBytes === 0) return false
    if (!this.#lazy.active()) {
      this.end()
      return true
    }
    const lf = this.#lineFeed()
    if (lf === -1) return this.#tooLong()
    const [bytes] = this.#rest as [Uint8Array]
    const start = this.#at
    const own = this.#atStart && this.#reader.buffered === 0
    const frame = own ? this.#frame(bytes, start, lf, raws) : undefined
    if (!frame) this.#give(bytes.subarray(start, lf + 1))
    this.frameBytes = lf + 1 - start
    this.#restBytes -= this.frameBytes
    this.#at = lf + 1
    if (this.#at === bytes.length) {
      this.#rest.shift()
      this.#at = 0
    }
    return frame ?? true
  }

  /** A line without end is the reader's affair, which knows how much is too much. */
  #tooLong(): boolean {
    if (this.#restBytes <= this.#maxFrame) return false
    this.end()
    return true
  }

  #give(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#atStart = bytes[bytes.length - 1] === LINE_FEED
    this.#reader.push(bytes)
  }

  /** Where the line ends that stands first, all of which is in the first chunk then; -1: its end has not come. */
  #lineFeed(): number {
    for (; this.#searched < this.#rest.length; this.#searched++) {
      const chunk = this.#rest[this.#searched] as Uint8Array
      const lf = chunk.indexOf(LINE_FEED, this.#searched === 0 ? this.#at : 0)
      if (lf === -1) continue
      return this.#searched === 0 ? lf : this.#join(chunk, lf + 1)
    }
    return -1
  }

  /** Puts the first line together, of which this chunk has the end. */
  #join(chunk: Uint8Array, length: number): number {
    const [first, ...others] = this.#rest.splice(0, this.#searched + 1) as [Uint8Array, ...Uint8Array[]]
    others[others.length - 1] = chunk.subarray(0, length)
    const line = Buffer.concat([first.subarray(this.#at), ...others])
    const behind = chunk.subarray(length)
    if (behind.length > 0) this.#rest.unshift(behind)
    if (chunk === this.#lent) this.#lent = behind
    this.#rest.unshift(line)
    this.#at = this.#searched = 0
    return line.length - 1
  }

  /** The line that ends there as a frame; `undefined`: the reader is to read it. */
  #frame(bytes: Uint8Array, start: number, lf: number, raws: readonly Uint8Array[]): Frame | undefined {
    const shape = kindAt(bytes, start)
    const end = lf - 1
    if (!shape || bytes[end] !== CLOSE || lf - start > this.#maxFrame) return undefined
    let at = start + shape.start.length
    let id = 0
    for (let digit; (digit = (bytes[at] as number) - ZERO) >= 0 && digit <= 9; at++) id = id * 10 + digit
    if (bytes[at++] !== SPACE || !(id > 0 && id <= Number.MAX_SAFE_INTEGER)) return undefined
    const ahead = shape.headed ? readAhead(bytes.subarray(at, end)) : undefined
    if (shape.headed && !ahead) return undefined
    if (!(shape.asks ? this.#lazy.request(ahead?.head) : this.#lazy.reply(id))) return undefined
    if (ahead) at += ahead.length
    if (at >= end) return undefined
    const body = new Unread(bytes, at, end, raws, NOTHING, false)
    if (bytes === this.#lent) this.#lentTo.push(body)
    return (ahead ? { kind: shape.kind, id, body, ...ahead } : { kind: shape.kind, id, body }) as Frame
  }
}

function kindAt(bytes: Uint8Array, at: number): Kind | undefined {
  const kind = BY_LETTER[bytes[at + DECIDING] as number]
  return kind && startsWith(bytes, at, kind.start) ? kind : undefined
}

function startsWith(bytes: Uint8Array, at: number, start: Buffer): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false
  return true
}

/** The head that stands there, and how long it is with the space behind it. */
function readAhead(bytes: Uint8Array): { map: unknown; head: Head; length: number } | undefined {
  const reader = new Reader()
  try {
    for (let from = 0; from < bytes.length; from += HEAD_BYTES) {
      const piece = bytes.subarray(from, from + HEAD_BYTES)
      if (piece.some(byte => byte >= 0x80)) return undefined // the reader would but guess where it ends
      reader.push(piece)
      if (!reader.next()) continue
      const length = reader.valueBytes
      if (bytes[length] !== SPACE) return undefined
      return { map: reader.value, head: readHead(reader.value), length: length + 1 }
    }
  } catch {
    // It is told by the reader of the whole frame.
  }
  return undefined
}

const NOTHING: readonly object[] = []
const CLOSE = 0x5d
const SPACE = 0x20
const ZERO = 0x30
const LINE_FEED = 0x0a
const HEAD_BYTES = 512
