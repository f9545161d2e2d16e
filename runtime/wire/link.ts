import { Reader } from '../edn/index.ts'
import { MAX_TEXT_UNITS } from '../edn/too-large.ts'
import { WatError } from '../error.ts'
import { overFrame, RAISE_MAX_FRAME } from './fit.ts'
import { Lines, type Lazy } from './lines.ts'
import { RawInput } from './raw-input.ts'
import { tags, toFrame, type Frame } from './frames.ts'
import { CONTROL_FRAME_BYTES } from './limits.ts'
import type { Source } from '../io/pipe.ts'

/** What a link does with what comes in. */
export interface LinkHandlers {
  /** A frame, and about how many bytes it took. */
  onFrame(frame: Frame, bytes: number): void
  /** Something came that is not EDN, not a frame or too large; reading goes on behind it, unless it is the last. */
  onFault(error: WatError, last: boolean): void
  /** End of input: nothing more will come. */
  onEnd(): void
  /** Whether the other side may send raw bytes. */
  knowsRaw(): boolean
  /** Bodies that are not to be read. */
  readonly lazy: Lazy
  /** What `#wat/ref` and a number stands for, in a frame with this tag and head. */
  readonly dereference: (number: unknown, tag: unknown, head: unknown) => unknown
  /** How many frames are wanted now, at least; while it is none, the pipe is not read. */
  wanted(): number
  /** A chunk has been worked off: a good moment to write what the frames caused. */
  onIdle(): void
}

/** Turns the bytes of a source into frames, no faster than they are wanted. */
export class Link {
  readonly #source: Source
  readonly #reader: Reader
  readonly #lines: Lines
  /** Tells raw bytes from text. */
  readonly #raw: RawInput
  readonly #maxFrame: number
  /** Whether `maxFrame` is less than frames of control may take, so that the reader cannot enforce it. */
  readonly #small: boolean
  /** The reader counts what it has skipped with the next form. */
  #skipped = false
  readonly #handlers: LinkHandlers
  #reading = false
  #pumping = false
  #sourceEnded = false
  /** The reader has been told so, too. */
  #textEnded = false
  /** Something has come since the reader was last asked. */
  #came = false
  #ended = false

  constructor(source: Source, maxFrame: number, handlers: LinkHandlers) {
    this.#source = source
    // What is longer could not be put together, whatever was allowed.
    const most = Math.min(maxFrame, MAX_TEXT_UNITS)
    this.#reader = new Reader({
      maxFrame: Math.max(most, CONTROL_FRAME_BYTES),
      dereference: handlers.dereference,
      raw: number => this.#raw.at(number),
    })
    this.#lines = new Lines(this.#reader, maxFrame, handlers.lazy)
    this.#raw = new RawInput(this.#lines, maxFrame, () => handlers.knowsRaw())
    this.#maxFrame = maxFrame
    this.#small = maxFrame < CONTROL_FRAME_BYTES
    this.#handlers = handlers
    source.open(
      chunk => {
        this.#raw.push(chunk)
        this.#came = true
        this.pump()
      },
      () => this.#onSourceEnd(),
    )
  }

  /** Whether the end of input has been delivered. */
  get ended(): boolean {
    return this.#ended
  }

  /** Bytes that have come and are not delivered yet. */
  get buffered(): number {
    return this.#reader.buffered + this.#lines.held + this.#raw.held
  }

  /** Delivers what is wanted, then reads on or stops reading. Call it whenever `wanted` may have changed. */
  pump(): void {
    if (this.#pumping || this.#ended) return
    this.#pumping = true
    let more = true
    try {
      do {
        more ||= this.#came
        this.#came = false
        for (let wanted = 0; more && (wanted ||= this.#handlers.wanted()) > 0; wanted--)
          more = this.#deliver()
        this.#handlers.onIdle()
      } while ((more || this.#came) && this.#handlers.wanted() > 0) // what was written has made room for more
    } finally {
      this.#pumping = false
      this.#lines.keep()
    }
    if (!more && this.#sourceEnded) this.#finish()
    else this.#setReading(!more)
  }

  /** More may be wanted than before. While the source is read everything that has come is delivered already. */
  demand(): void {
    if (!this.#reading) this.pump()
  }

  /** From here on each form has a line to itself: what a line holds may have been written by somebody else. */
  oneFormPerLine(): void {
    this.#reader.oneFormPerLine()
  }

  /** Takes what has come as all there will be. Idempotent. */
  endInput(): void {
    if (this.#ended) return
    this.#source.close()
    this.#onSourceEnd()
  }

  #onSourceEnd(): void {
    if (this.#sourceEnded) return
    this.#sourceEnded = true
    this.#came = true
    this.pump()
  }

  #deliver(): boolean {
    const reader = this.#reader
    const raw = this.#raw
    let frame: Frame | undefined
    try {
      let bytes = raw.bytes
      if (reader.next()) {
        bytes += reader.valueBytes
        frame = toFrame(reader.value)
      } else {
        const next = this.#lines.advance(raw.list)
        if (typeof next === 'boolean') return next || this.#goOn()
        bytes += this.#lines.frameBytes
        frame = next
      }
      if ((this.#small && !this.#skipped) || raw.bytes > 0) fitting(frame, bytes, this.#maxFrame)
      this.#skipped = false
      raw.clear()
      this.#handlers.onFrame(frame, bytes)
    } catch (error) {
      this.#skipped = frame === undefined
      raw.clear()
      this.#handlers.onFault(faultOf(error, frame), this.#sourceEnded && reader.buffered === 0)
    }
    return !this.#ended
  }

  /** The text so far is read: what is behind it? */
  #goOn(): boolean {
    const raw = this.#raw
    if (raw.advance()) return true
    if (!this.#sourceEnded || this.#textEnded) return false
    this.#textEnded = true
    this.#lines.end()
    this.#reader.end()
    if (!raw.unfinished) return true
    raw.forget()
    throw new WatError('malformed', 'the input ends in raw bytes, or behind them', {
      data: { incomplete: true },
    })
  }

  #setReading(on: boolean): void {
    if (on === this.#reading) return
    this.#reading = on
    if (on) this.#source.resume()
    else this.#source.pause()
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#handlers.onEnd()
  }
}

/** The reader knows how large a form may be, but not who has said so. */
function advised(error: WatError): WatError {
  if (error.code !== 'too-large') return error
  return new WatError('too-large', `${error.message}; ${RAISE_MAX_FRAME}`, { data: error.data })
}

/** Whatever a frame makes its handler throw is the fault of whoever sent it, who alone is told of it. */
function faultOf(error: unknown, frame: Frame | undefined): WatError {
  if (error instanceof WatError) return frame === undefined ? advised(error) : error
  const data = frame && headOf(frame)
  return new WatError('malformed', 'a frame that cannot be handled', { cause: error, ...(data && { data }) })
}

/** Frames of control are small, and go through whatever `maxFrame` is: with them a process begins and ends. */
function fitting(frame: Frame, bytes: number, maxFrame: number): void {
  if (!CARRIERS.has(frame.kind) || bytes - 1 <= maxFrame) return // what ended the one before is counted with it
  throw overFrame(bytes - 1, maxFrame, headOf(frame))
}

const CARRIERS = new Set<Frame['kind']>(['value', 'request', 'reply', 'call', 'return', 'given'])

/** Which call it is about, for whoever waits for that. */
function headOf(frame: Frame): { head?: { tag: string; id: number } } {
  return 'id' in frame ? { head: { tag: tags[frame.kind], id: frame.id } } : {}
}
