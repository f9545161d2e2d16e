import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { TERMINATOR } from './chars.ts'
import type { Position } from './position.ts'
import { MAX_UNITS, Units } from './units.ts'
import { type Piece, Utf8 } from './utf8.ts'

/** The input: a queue of texts, one of them current, and where in the whole input we are. */
export class Source {
  text = ''
  /** The same, unit by unit. */
  readonly units = new Units()
  /** What comes before is read; what the current text has behind it at `load` is carried over. */
  pos = 0
  /** Nothing comes behind the current text. */
  last = false
  /** The current text stands for bytes that are not UTF-8. */
  invalid = false
  /** And that is because the input ends inside a character. */
  cut = false
  /** What the current text is a part of, where that is too long to be one; otherwise `''`. */
  whole = ''
  /** Where in it the current text stands. */
  wholeAt = 0
  /** Whether a string has been taken to end where the whole does: that is tried once. */
  guessed = false
  /** So many units behind the current text have been read as a part of the whole. */
  ahead = 0
  /** Bytes of input before the current text. */
  bytesBefore = 0
  /** Bytes pushed in all. */
  pushed = 0

  private bytes = 0
  private ascii = true
  private base = 0
  private line = 1
  private lineStart = 0
  private counted = 0
  private nextLf = -2
  private ended = false
  private half = ''
  private queue: Piece[] = []
  private head = 0
  private scanned = 0
  private readonly utf8 = new Utf8()
  private readonly enqueue = ({ text, bytes, invalid, cut }: Piece) => {
    if (text.length > MAX_UNITS) this.enqueueParts(text, bytes === text.length)
    else this.queue.push({ text, bytes, invalid, cut })
  }

  push(chunk: string | Uint8Array): void {
    if (this.ended) throw new WatError('malformed', 'input after the end of input')
    if (typeof chunk !== 'string') {
      if (this.half !== '') this.pushText('')
      this.pushed += chunk.byteLength
      this.utf8.decode(chunk, this.enqueue)
    } else if (chunk !== '') {
      this.utf8.end(this.enqueue)
      this.pushText(chunk)
    }
  }

  /** Starts afresh with a text that is all there is. */
  only(text: string): void {
    this.enter(text, text.length)
    this.base = this.bytesBefore = this.lineStart = 0
    this.line = 1
    this.last = true
  }

  end(): void {
    if (this.ended) return
    this.utf8.end(this.enqueue)
    if (this.half !== '') this.pushText('')
    this.ended = true
  }

  // A text may end between the halves of a surrogate pair; `''` gives up waiting for the other.
  private pushText(chunk: string): void {
    const whole = this.half + chunk
    const split = chunk !== '' && (whole.charCodeAt(whole.length - 1) & 0xfc00) === 0xd800
    this.half = split ? whole.slice(-1) : ''
    const text = split ? whole.slice(0, -1) : whole
    if (text === '') return
    if (text.length > MAX_UNITS) {
      this.pushed += this.enqueueParts(text, false)
      return
    }
    const bytes = Buffer.byteLength(text)
    this.pushed += bytes
    this.queue.push({ text, bytes, invalid: false })
  }

  /** What is too long to be read in one go. Returns how many bytes it is. */
  private enqueueParts(text: string, ascii: boolean): number {
    this.guessed = false
    let bytes = 0
    for (let from = 0, to; from < text.length; from = to) {
      to = from + MAX_UNITS
      if ((text.charCodeAt(to - 1) & 0xfc00) === 0xd800) to-- // both halves of a pair belong together
      const part = text.slice(from, to)
      const partBytes = ascii ? part.length : Buffer.byteLength(part)
      bytes += partBytes
      this.queue.push({ text: part, bytes: partBytes, invalid: false, whole: text, from })
    }
    return bytes
  }

  /**
   * Makes the next text current. What the current one has from `pos` on is the start of an unfinished atom: it
   * is carried over, once something has come that can end it, so that nothing is looked at again and again.
   * False: no more for now.
   */
  load(): boolean {
    if (this.last) return false
    const rest = this.text.length - this.pos
    const upTo = rest === 0 ? Math.min(this.head + 1, this.queue.length) : this.ending()
    if (upTo === this.head && !(this.ended && upTo === this.queue.length) && !this.queue[upTo]?.invalid)
      return false
    const next = this.queue[this.head]
    if (next?.invalid === true) {
      this.leave(this.text.length)
      this.enter(next.text, next.bytes)
      this.head++
      this.invalid = true
      this.cut = next.cut === true
    } else this.join(upTo)
    if (this.head === this.queue.length) this.head = this.scanned = this.queue.length = 0
    this.last = this.ended && this.queue.length === 0
    return true
  }

  /** Makes the atom that is being waited for one text, as far as it is there. False: it is one already. */
  gather(): boolean {
    const invalid = this.queue.findIndex((piece, at) => at >= this.head && piece.invalid)
    const upTo = invalid === -1 ? this.queue.length : invalid
    if (upTo <= this.head) return false
    this.join(upTo)
    if (this.head === this.queue.length) this.head = this.scanned = this.queue.length = 0
    return true
  }

  private join(upTo: number): void {
    const rest = this.text.length - this.pos
    let bytes = this.bytesIn(this.pos, this.text.length)
    const texts = rest === 0 ? [] : [this.text.slice(this.pos)]
    const { whole = '', from = 0 } = (upTo - this.head === 1 && this.queue[this.head]) || {}
    this.leave(this.pos)
    for (; this.head < upTo; this.head++) {
      const piece = this.queue[this.head]!
      texts.push(piece.text)
      bytes += piece.bytes
    }
    this.enter(texts.length === 1 ? texts[0]! : texts.join(''), bytes)
    this.whole = whole
    this.wholeAt = from - rest
  }

  /** What has been read of the current text is to be read once more: strings have been decoded in its units. */
  lookAgain(): void {
    this.ahead = 0
    this.units.fill(this.text)
  }

  /** Bytes pushed and not yet looked at, or to be looked at again. */
  get waiting(): number {
    return this.pushed - this.utf8.held - this.bytesBefore - this.bytesIn(0, this.pos)
  }

  /** Forgets the unfinished atom that is being waited for. */
  drop(): void {
    this.leave(this.text.length)
    this.enter('', 0)
    for (; this.head < this.queue.length; this.head++) {
      const piece = this.queue[this.head]!
      this.base += piece.text.length
      this.bytesBefore += piece.bytes
    }
    this.head = this.scanned = this.queue.length = 0
  }

  /** Bytes of input up to `pos` of the current text; a guess inside a text that is not ASCII. */
  bytesAt(pos: number): number {
    if (this.ascii) return this.bytesBefore + pos
    return this.bytesBefore + Math.round((pos / this.text.length) * this.bytes)
  }

  /** Bytes between two places of the current text, exactly. */
  bytesIn(from: number, to: number): number {
    if (this.ascii || from === to) return to - from
    if (from === 0 && to === this.text.length) return this.bytes
    return Buffer.byteLength(this.text.slice(from, to))
  }

  /** Never asked for a place before one asked for earlier, save within a line. */
  locate(pos: number): Position {
    this.countTo(pos)
    const offset = this.base + pos
    return { offset, line: this.line, column: offset - this.lineStart + 1 }
  }

  // Behind the first piece that can end an atom; the head of the queue if none can.
  private ending(): number {
    this.scanned = Math.max(this.scanned, this.head)
    for (; this.scanned < this.queue.length; this.scanned++) {
      const piece = this.queue[this.scanned]!
      if (piece.invalid) return this.scanned
      if (TERMINATOR.test(piece.text)) return this.scanned + 1
    }
    return this.ended ? this.queue.length : this.head
  }

  private leave(pos: number): void {
    this.countTo(pos)
    this.bytesBefore += this.bytesIn(0, pos)
    this.base += pos
  }

  private enter(text: string, bytes: number): void {
    this.text = text
    if (this.ahead === 0) this.units.fill(text)
    else if (text.length > this.ahead) this.units.fillFrom(text, this.ahead)
    this.bytes = bytes
    this.ascii = bytes === text.length
    this.pos = 0
    this.counted = 0
    this.nextLf = -2
    this.invalid = false
    if (this.whole !== '') this.whole = ''
  }

  private countTo(pos: number): void {
    if (this.nextLf < this.counted && this.nextLf !== -1) this.nextLf = this.text.indexOf('\n', this.counted)
    while (this.nextLf !== -1 && this.nextLf < pos) {
      this.line++
      this.lineStart = this.base + this.nextLf + 1
      this.nextLf = this.text.indexOf('\n', this.nextLf + 1)
    }
    this.counted = pos
  }
}
