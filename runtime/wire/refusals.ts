import { toFault } from '../edn/fault.ts'
import type { WatError } from '../error.ts'
import { errorFrame } from './frames.ts'
import type { Outbox } from './outbox.ts'
import type { PeerOptions } from './peer-options.ts'

/** What the id of a refused request counts for; its frame was no smaller. */
const ID_BYTES = 16

/** What may wait for room; with more, who holds them reads no more of what asks. */
const OWED_BYTES = 4 * 1024 * 1024

/**
 * Requests that are answered with an error. An answer is written when the pipe has room, and until then its
 * request is hardly more than a number, so that whoever asks and does not read what comes back cannot fill
 * memory here. None is lost: who holds them stops reading when there are too many.
 */
export class Refusals {
  /** Ids, and answers that are written already because no two are alike. */
  #waiting: (number | string)[] = []
  #first = 0
  #bytes = 0
  readonly #outbox: Outbox
  readonly #options: PeerOptions
  readonly #refusal: () => WatError | undefined

  /** `refusal`: what those are told that are refused without an error of their own. */
  constructor(outbox: Outbox, options: PeerOptions, refusal: () => WatError | undefined) {
    this.#outbox = outbox
    this.#options = options
    this.#refusal = refusal
  }

  /** The frame that answers a request with an error. */
  answerWith(id: number, error: unknown): string {
    const { address, maxFrame } = this.#options
    return errorFrame(id, toFault(error, address), maxFrame)
  }

  /** What those that wait for room hold, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether more would be too much. */
  get full(): boolean {
    return this.#bytes >= OWED_BYTES
  }

  /** Refuses a request, as soon as there is room. */
  push(id: number, error?: WatError): void {
    // What is ending is read to its end, and in the end has nobody left to tell.
    if (this.full && this.#options.hurried?.()) return
    const refused = error ? this.answerWith(id, error) : id
    this.#waiting.push(refused)
    this.#bytes += sizeOf(refused)
    this.flush()
  }

  /** Answers what there is room for. */
  flush(): void {
    const outbox = this.#outbox
    while (this.#first < this.#waiting.length && (!outbox.full || outbox.closed)) this.#next()
    if (this.#first === 0) return
    // What is answered leaves in bulk: shifting one by one would make a long queue quadratic.
    if (this.#first === this.#waiting.length || this.#first > 4096) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
  }

  /** Answers all of them, room or not: later nothing can be written. */
  flushAll(): void {
    while (this.#first < this.#waiting.length) this.#next()
    this.flush()
  }

  #next(): void {
    const refused = this.#waiting[this.#first++] as number | string
    this.#bytes -= sizeOf(refused)
    this.#outbox.push(typeof refused === 'number' ? this.answerWith(refused, this.#refusal()) : refused)
  }
}

function sizeOf(refused: number | string): number {
  return typeof refused === 'number' ? ID_BYTES : refused.length
}
