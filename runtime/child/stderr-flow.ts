import type { Tagged } from '../edn/index.ts'
import type { WatError } from '../error.ts'
import { onStderrDrain, relayLine } from '../vm/stderr.ts'
import type { Source } from '../io/pipe.ts'
import { Receiver } from '../wire/receiver.ts'
import { panicOf, RecordReader, type StderrRecord } from './records.ts'

/**
 * A child's stderr is always read, or a child that logs would stand still; what nobody takes is held up
 * to this much. Beyond it the child waits: nothing is dropped.
 */
const HELD_BYTES = 4 * 1024 * 1024

/** What a record takes besides its text: a line may be one character. */
const ITEM_BYTES = 120

/** What comes out of a child's stderr: relayed or handed over, and its last words kept. */
export class StderrFlow {
  readonly receiver: Receiver<Tagged>
  /** What it said with its last words. */
  panic: WatError | undefined
  received = 0
  #reader: RecordReader | undefined
  #ended = false
  #unlisten = () => {}
  readonly #address: string
  readonly #relay: boolean
  readonly #onDemand: () => void
  readonly #onIdle: () => void

  constructor(address: string, relay: boolean, onDemand: () => void, onIdle: () => void) {
    this.#onDemand = onDemand
    this.#onIdle = onIdle
    this.#address = address
    this.#relay = relay
    this.receiver = new Receiver(onDemand, onDemand)
    if (relay) this.receiver.finish()
  }

  open(source: Source): void {
    this.#reader = new RecordReader(
      source,
      this.#address,
      record => this.#onRecord(record),
      () => this.#onEnd(),
    )
    if (this.#relay && !this.#ended) this.#unlisten = onStderrDrain(() => this.resume())
  }

  /** Reads on if there is room again. */
  resume(): void {
    if (this.receiver.bytes < HELD_BYTES || this.receiver.wanted) this.#reader?.resume()
  }

  get drained(): boolean {
    return this.#ended || !this.#reader
  }

  /** Takes what has come as all there will be. */
  end(): void {
    if (this.#reader) this.#reader.end()
    else this.receiver.finish()
  }

  #onRecord({ record, line, bytes }: StderrRecord): boolean {
    this.received += bytes
    const panic = panicOf(record, this.#address)
    if (panic) {
      this.panic = panic
      this.#onDemand() // its stdout is to be read to the end now: it blocks until it is rid of it
    }
    if (this.#relay) return relayLine(line)
    this.receiver.offer(record, bytes + ITEM_BYTES)
    this.#onIdle()
    return this.receiver.bytes < HELD_BYTES
  }

  #onEnd(): void {
    this.#ended = true
    this.#unlisten()
    this.receiver.finish()
    this.#onIdle()
  }
}
