import { Buffer, isAscii, isUtf8 } from 'node:buffer'

/** A stretch of input. `invalid` marks bytes that are no UTF-8, given as one unit per byte. */
export interface Piece {
  text: string
  bytes: number
  invalid: boolean
  /** Invalid because the input ends inside a character. */
  cut?: boolean
  /** What was too long for one text: this is a part of it, from there on. */
  whole?: string
  from?: number
}

/** Decodes UTF-8 that may be split anywhere. What is no UTF-8 comes out marked, up to the end of its line. */
export class Utf8 {
  private tail: Buffer | undefined
  private spoilt = false

  /** Bytes of a sequence that is not complete yet. */
  get held(): number {
    return this.tail === undefined ? 0 : this.tail.length
  }

  decode(chunk: Uint8Array, out: (piece: Piece) => void): void {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (this.tail === undefined && !this.spoilt && isAscii(bytes)) {
      if (bytes.length > 0) out({ text: bytes.toString('latin1'), bytes: bytes.length, invalid: false })
      return
    }
    if (this.tail !== undefined) bytes = Buffer.concat([this.tail, bytes])
    const held = this.spoilt && !bytes.includes(10) ? 0 : incompleteTail(bytes)
    // A copy: the caller may reuse its buffer.
    this.tail = held === 0 ? undefined : Buffer.from(bytes.subarray(bytes.length - held))
    this.whole(bytes.subarray(0, bytes.length - held), out)
  }

  /** The input ends: a sequence that is not complete now never will be. */
  end(out: (piece: Piece) => void): void {
    const tail = this.tail
    this.tail = undefined
    if (tail !== undefined)
      out({ text: tail.toString('latin1'), bytes: tail.length, invalid: true, cut: true })
  }

  private whole(bytes: Buffer, out: (piece: Piece) => void): void {
    for (let from = 0; from < bytes.length;) {
      // Once invalid, the line is lost anyway: the reader goes on at the next.
      let end = bytes.length
      if (this.spoilt) {
        const lf = bytes.indexOf(10, from)
        if (lf !== -1) end = lf
        this.spoilt = lf === -1
        if (end > from) out({ text: bytes.toString('latin1', from, end), bytes: end - from, invalid: false })
      } else {
        const rest = bytes.subarray(from)
        if (!isUtf8(rest)) end = from + firstInvalid(rest)
        if (end > from) out({ text: bytes.toString('utf8', from, end), bytes: end - from, invalid: false })
        if (end < bytes.length) {
          out({ text: '\ufffd', bytes: 1, invalid: true })
          end++
          this.spoilt = true
        }
      }
      from = end
    }
  }
}

/** How many bytes at the end begin a sequence that goes on behind it. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) !== 0x80) return sequenceLength(byte) > back ? back : 0
  }
  return 0
}

function firstInvalid(bytes: Buffer): number {
  let at = 0
  for (;;) {
    const length = sequenceLength(bytes[at]!)
    if (length === 0 || (length > 1 && !isUtf8(bytes.subarray(at, at + length)))) return at
    at += length
  }
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}
