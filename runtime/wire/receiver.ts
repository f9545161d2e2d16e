import { Queue } from './queue.ts'

interface Held<T> {
  value: T
  bytes: number
}

/**
 * The reading end of a stream of values; the same one in both directions and at every tier.
 * It is pull-based: one that nobody reads holds a bounded amount and then stops reading its pipe.
 */
export class Receiver<T = unknown> implements AsyncIterable<T> {
  #held: Held<T>[] = []
  #first = 0
  #bytes = 0
  readonly #waiters = new Queue<(value: T | undefined) => void>()
  #watchers = new Set<() => void>()
  #ended = false
  #closed = false
  readonly #onDemand: () => void
  readonly #onClose: () => void

  /** @internal */
  constructor(onDemand: () => void, onClose: () => void = () => {}) {
    this.#onDemand = onDemand
    this.#onClose = onClose
  }

  /** The next value; `undefined` at end of input, also when the other end died. Never rejects. */
  recv(): Promise<T | undefined> {
    const held = this.#take()
    if (held) {
      this.#onDemand()
      return Promise.resolve(held.value)
    }
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise(resolve => {
      this.#waiters.push(resolve)
      this.#onDemand()
    })
  }

  /** Reads to the end of input; leaving the loop early keeps what was not read. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const value = await this.recv()
      if (value === undefined) return
      yield value
    }
  }

  /** Reads no more: what is held and what still comes is dropped, and `recv` gives `undefined`. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#held = []
    this.#first = 0
    this.#bytes = 0
    this.finish()
    this.#onClose()
  }

  /** @internal Bytes held for a reader that has not come yet. */
  get bytes(): number {
    return this.#bytes
  }

  /** @internal Whether somebody waits for a value. */
  get wanted(): boolean {
    return this.#waiters.size > 0 || this.#watchers.size > 0
  }

  /** @internal Whether `recv` would settle at once. */
  get readable(): boolean {
    return this.#ended || this.#first < this.#held.length
  }

  /** @internal */
  get ended(): boolean {
    return this.#ended
  }

  /** @internal A value has come. */
  offer(value: T, bytes: number): void {
    if (this.#ended) return
    const waiter = this.#waiters.shift()
    if (waiter) return waiter(value)
    this.#held.push({ value, bytes })
    this.#bytes += bytes
    this.#notify()
  }

  /** @internal No more values will come. Idempotent. */
  finish(): void {
    if (this.#ended) return
    this.#ended = true
    for (const waiter of this.#waiters.drain()) waiter(undefined)
    this.#notify()
  }

  /** @internal Everything held, for whoever serves from now on. */
  drain(): { value: T; bytes: number }[] {
    const held = this.#held.slice(this.#first)
    this.#held = []
    this.#first = 0
    this.#bytes = 0
    return held
  }

  /** @internal Calls `watcher` once, when a value or the end is there; the value stays. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    this.#onDemand()
    return () => {
      this.#watchers.delete(watcher)
      this.#onDemand() // which there may be none of any more
    }
  }

  #take(): Held<T> | undefined {
    if (this.#first === this.#held.length) return undefined
    const held = this.#held[this.#first] as Held<T>
    this.#bytes -= held.bytes
    this.#first++
    // Taken values leave the array in bulk: shifting one by one would make a long queue quadratic.
    if (this.#first === this.#held.length || this.#first > 1024) {
      this.#held = this.#held.slice(this.#first)
      this.#first = 0
    }
    return held
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

/**
 * Waits for the first of several receivers that has a value or has ended, and gives that receiver.
 * Takes nothing: `recv` on it settles at once, and no value of the others is lost. When several are
 * ready the first in the list is given. Rejects with a `TypeError` when the list is empty.
 */
export async function select<R extends Receiver<any>>(receivers: Iterable<R>): Promise<R> {
  const list = [...receivers]
  if (list.length === 0) throw new TypeError('select needs at least one receiver')
  const ready = list.find(receiver => receiver.readable)
  if (ready) return ready
  return new Promise(resolve => {
    const unwatch = list.map(receiver =>
      receiver.watch(() => {
        for (const stop of unwatch) stop()
        resolve(receiver)
      }),
    )
  })
}
