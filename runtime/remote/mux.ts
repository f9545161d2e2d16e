import { Buffer } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import { WatError } from '../error.ts'
import { Gathered } from '../io/gathered.ts'
import { InLane, OutLane, WINDOW_BYTES } from './lane.ts'
import { LEAST_SILENCE_MS } from '../wire/limits.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { every } from '../wire/timers.ts'

/** Several streams of bytes on one connection. */
export const lanes = { control: 0, stdin: 1, stdout: 2, stderr: 3 } as const

/** A lane's number, and with it what a piece is that is not its bytes. */
const WINDOW_UPDATE = 0x80
const FIN = 0x40

const HEADER_BYTES = 5
const NEWLINE = 10

/** A piece is no longer than this, so that no lane waits long for another. */
const PIECE_BYTES = 64 * 1024

/** The longest form on the control lane. */
export const CONTROL_BYTES = 1024 * 1024

/** In how many parts the longest silence is divided: something is sent in each of them. */
const PINGS_PER_SILENCE = 4

/** What carries the lanes: a socket, or what a launcher forwards. */
export interface Carrier {
  readable: Readable
  writable: Writable
  /** Ends it, both ways, at once. */
  close(): void
}

interface Events {
  /** A line of the control lane. */
  onControl(line: string): void
  /** One more lane has ended. */
  onLaneEnd(): void
  /** The other side is gone; why, unless it ended in order. Called once. */
  onEnd(reason: WatError | undefined): void
}

/**
 * Carries stdin, stdout and stderr of a process and what is said about it on one connection. Each lane has
 * a window of its own, so that one that nobody reads holds up no other. A side that has nothing to say sends
 * an empty piece now and then: one that is silent for `silenceMs` is taken for gone, however that happened.
 */
export class Mux {
  readonly #carrier: Carrier
  readonly #events: Events
  readonly #in = [lanes.stdin, lanes.stdout, lanes.stderr].map(
    lane => new InLane(bytes => this.#send(lane | WINDOW_UPDATE, bytes)),
  )
  readonly #out = [lanes.stdin, lanes.stdout, lanes.stderr].map(
    lane =>
      new OutLane(
        (piece, length) => this.#sendPiece(lane, piece, length),
        () => this.#send(lane | FIN, 0),
      ),
  )
  #timer: NodeJS.Timeout
  #sent = false
  #heard = true
  #blocked = false
  #ended = false
  #finished = false
  #header = Buffer.alloc(HEADER_BYTES)
  #headerLength = 0
  #left = 0
  readonly #control = new Gathered()

  constructor(carrier: Carrier, silenceMs: number, events: Events) {
    this.#carrier = carrier
    this.#events = events
    const { readable, writable } = carrier
    readable.on('data', (chunk: Buffer) => this.#onBytes(chunk))
    readable.on('error', error => this.#end(lost(error.message, error)))
    readable.once('end', () => this.#end(undefined))
    readable.once('close', () => this.#end(undefined))
    writable.on('error', () => {}) // what still comes, and its end or silence, tells more than a closed pipe
    writable.on('drain', () => this.#onDrain())
    this.#timer = this.#ping(silenceMs)
  }

  source(lane: number): Source {
    return this.#in[lane - 1] as InLane
  }

  sink(lane: number): Sink {
    return this.#out[lane - 1] as OutLane
  }

  /** From now on the other side may be silent for so long. */
  listenFor(silenceMs: number): void {
    clearInterval(this.#timer)
    if (!this.#ended) this.#timer = this.#ping(silenceMs)
  }

  /** Sends one line of the control lane. */
  say(line: string): void {
    const bytes = Buffer.from(line)
    this.#send(lanes.control, bytes.length, bytes)
  }

  /** Ends the connection when everything said has been written. */
  finish(): void {
    this.#finished = true
    if (!this.#ended) this.#carrier.writable.end()
  }

  /** Ends the connection at once, for this reason. */
  abort(reason: WatError): void {
    this.#end(reason)
  }

  #sendPiece(lane: number, bytes: Uint8Array, length: number): boolean {
    for (let start = 0; start < length; start += PIECE_BYTES) {
      const piece = bytes.subarray(start, Math.min(length, start + PIECE_BYTES))
      this.#send(lane, piece.length, piece)
    }
    return !this.#blocked
  }

  #send(lane: number, length: number, bytes?: Uint8Array): void {
    if (this.#ended || this.#finished) return
    const piece = Buffer.allocUnsafe(HEADER_BYTES + (bytes?.length ?? 0))
    piece[0] = lane
    piece.writeUInt32BE(length, 1)
    if (bytes) piece.set(bytes, HEADER_BYTES) // its memory is not ours to keep
    this.#sent = true
    if (!this.#carrier.writable.write(piece)) this.#blocked = true
  }

  #onDrain(): void {
    this.#blocked = false
    for (const lane of this.#out) lane.pump()
  }

  #onBytes(chunk: Buffer): void {
    this.#heard = true
    let offset = 0
    while (offset < chunk.length && !this.#ended) {
      if (this.#headerLength < HEADER_BYTES) {
        this.#header[this.#headerLength++] = chunk[offset++] as number
        if (this.#headerLength < HEADER_BYTES) continue
        this.#left = this.#header.readUInt32BE(1)
        this.#onHeader(this.#header[0] as number)
      } else {
        const piece = chunk.subarray(offset, offset + this.#left)
        offset += piece.length
        this.#left -= piece.length
        this.#onPiece(this.#header[0] as number, piece)
      }
      if (this.#headerLength === HEADER_BYTES && this.#left === 0) this.#headerLength = 0
    }
  }

  #onHeader(lane: number): void {
    const amount = this.#left
    const index = (lane & ~(WINDOW_UPDATE | FIN)) - 1
    if (lane === lanes.control && amount <= CONTROL_BYTES) return
    const [inLane, outLane] = [this.#in[index], this.#out[index]]
    if (!inLane || !outLane || amount > WINDOW_BYTES) return this.#end(lost('it does not speak in lanes'))
    if (lane & WINDOW_UPDATE) outLane.windowUpdate(amount)
    else if (lane & FIN) {
      inLane.end()
      this.#events.onLaneEnd()
    }
    if (lane & (WINDOW_UPDATE | FIN)) this.#left = 0
  }

  #onPiece(lane: number, piece: Buffer): void {
    if (lane !== lanes.control) {
      if (!this.#in[lane - 1]?.offer(piece)) this.#end(lost('it sent more than it was granted'))
      return
    }
    let start = 0
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, start)) {
      this.#control.add(piece.subarray(start, end))
      start = end + 1
      this.#onLine(this.#control.take().toString())
    }
    this.#control.add(piece.subarray(start))
    if (this.#control.length > CONTROL_BYTES) this.#end(lost('a line of control is too long'))
  }

  /** Whatever a line makes its handler throw is the fault of the other side, and ends the connection. */
  #onLine(line: string): void {
    if (this.#ended) return
    try {
      this.#events.onControl(line)
    } catch (error) {
      this.#end(error instanceof WatError ? error : lost('a line of control that cannot be handled', error))
    }
  }

  /** Says something often enough, and listens. */
  #ping(silenceMs: number): NodeJS.Timeout {
    const pingMs = Math.max(LEAST_SILENCE_MS, silenceMs) / PINGS_PER_SILENCE
    let silent = 0
    let last = performance.now()
    return every(() => {
      const now = performance.now()
      // A loop that was busy or a process that was suspended has heard nobody: that proves nothing.
      const late = now - last > 2 * pingMs
      last = now
      if (!this.#sent) this.#send(lanes.control, 0)
      this.#sent = false
      silent = this.#heard || late ? 0 : silent + 1
      this.#heard = false
      if (silent >= PINGS_PER_SILENCE) this.#end(lost(`nothing was heard for ${silenceMs} ms`))
    }, pingMs).unref()
  }

  #end(reason: WatError | undefined): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#timer)
    this.#carrier.close()
    for (const lane of this.#out) lane.abort()
    for (const lane of this.#in) lane.end()
    this.#events.onEnd(reason)
  }
}

function lost(why: string, cause?: unknown): WatError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return new WatError('offline', `the connection was lost: ${why}`, {
    cause,
    data: code === undefined ? undefined : { code },
  })
}
