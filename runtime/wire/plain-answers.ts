import { Queue } from './queue.ts'

/** The place of an answer among those that must come in order. */
export interface Slot {
  line: Uint8Array | undefined
  /** Calls back when it is the first of those that are not written. */
  onTurn?: () => void
}

/** Answers to plain values, which come in the order of the values: one that is ready early waits for those before it. */
export class PlainAnswers {
  /** Bytes of answers that are ready, and wait. */
  bytes = 0
  readonly #slots = new Queue<Slot>()
  readonly #write: (line: Uint8Array) => void

  constructor(write: (line: Uint8Array) => void) {
    this.#write = write
  }

  /** How many are not written yet. */
  get size(): number {
    return this.#slots.size
  }

  /** A value has been taken: its answer goes behind those of all before it. */
  next(): Slot {
    return this.#slots.push({ line: undefined }).value
  }

  /** The answer is there; an empty one is none. */
  settle(slot: Slot, line: Uint8Array): void {
    slot.line = line
    this.bytes += line.length
    this.#next()
  }

  /** Resolves when the answers before it are written, so that this one can be written in several lines, and then settled. */
  turn(slot: Slot): Promise<void> {
    return new Promise(resolve => {
      slot.onTurn = resolve
      this.#next()
    })
  }

  #next(): void {
    let first: Slot | undefined
    while ((first = this.#slots.first)) {
      const { line } = first
      if (!line) return first.onTurn?.()
      this.#slots.shift()
      this.bytes -= line.length
      if (line.length > 0) this.#write(line)
    }
  }
}
