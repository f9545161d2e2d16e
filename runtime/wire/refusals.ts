import type { Outbox } from './outbox.ts'

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
  readonly #answer: (id: number) => string

  /** `answer` makes the frame for a request's id. */
  constructor(outbox: Outbox, answer: (id: number) => string) {
    this.#outbox = outbox
    this.#answer = answer
  }

  /** What those that wait for room hold, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether more would be too much. */
  get full(): boolean {
    return this.#bytes >= OWED_BYTES
  }

  /** Refuses a request: by its id, or with this very frame. */
  push(refused: number | string): void {
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
    this.#outbox.push(typeof refused === 'number' ? this.#answer(refused) : refused)
  }
}

function sizeOf(refused: number | string): number {
  return typeof refused === 'number' ? ID_BYTES : refused.length
}
