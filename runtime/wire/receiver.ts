import { WatError } from '../error.ts'
import { Queue } from './queue.ts'

interface Waiter<T> {
  resolve(value: T | undefined): void
  reject(reason: WatError): void
}

/**
 * The reading end of a stream of values; the same one in both directions and at every tier.
 * It is pull-based: one that nobody reads holds a bounded amount and then stops reading its pipe.
 */
export class Receiver<T = unknown> implements AsyncIterable<T> {
  // Two lists, and not one of pairs: the smallest values come in millions.
  #held: T[] = []
  #sizes: number[] = []
  #first = 0
  #bytes = 0
  #taken = 0
  readonly #waiters = new Queue<Waiter<T>>()
  #watchers = new Set<() => void>()
  #ended = false
  #failure: WatError | undefined
  #closed = false
  readonly #onDemand: () => void
  readonly #onClose: () => void
  readonly #onTaken: (bytes: number) => void
  readonly #closesWhenLeft: boolean
  /** It has been sent to somebody else. */
  #given = false

  /**
   * @internal `onTaken` is told of every value that somebody has taken, or that is dropped. `closesWhenLeft`: who
   * leaves a loop over it early wants no more.
   */
  constructor(
    onDemand: () => void,
    onClose: () => void = () => {},
    onTaken: (bytes: number) => void = () => {},
    { closesWhenLeft = false } = {},
  ) {
    this.#onDemand = onDemand
    this.#onClose = onClose
    this.#onTaken = onTaken
    this.#closesWhenLeft = closesWhenLeft
  }

  /**
   * The next value; `undefined` at the end. Rejects with `offline`, behind the last value, when what it reads
   * from died: a child that ended by a signal, a panic or an exit code other than 0, unless `stop` or `kill`
   * ended it. It rejects again each time. Rejects with `denied` when the receiver has been sent to somebody else.
   */
  recv(): Promise<T | undefined> {
    return this.#given ? Promise.reject(this.#givenAway()) : this.#recv()
  }

  #recv(): Promise<T | undefined> {
    if (this.#first < this.#held.length) {
      const value = this.#take()
      this.#onDemand()
      return Promise.resolve(value)
    }
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#onDemand()
    })
  }

  /**
   * Reads to the end, and rejects as `recv` does. Leaving the loop early keeps what was not read, unless it is a
   * stream that came in a body: that is closed.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const value = await this.recv()
        if (value === undefined) return
        yield value
      }
    } finally {
      if (this.#closesWhenLeft) this.close()
    }
  }

  /** @internal What is left of it, for whoever it is sent to: who leaves that early closes it. */
  async *rest(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const value = await this.#recv()
        if (value === undefined) return
        yield value
      }
    } finally {
      this.#close()
    }
  }

  /** @internal It is being sent: from now on it is read elsewhere. */
  give(): void {
    this.#given = true
  }

  /** @internal Throws `denied` when it has been sent already. */
  keep(): this {
    if (this.#given) throw this.#givenAway()
    return this
  }

  /**
   * Reads no more: what is held and what still comes is dropped, and `recv` gives `undefined`. One that has been sent
   * to somebody else is theirs to close.
   */
  close(): void {
    if (!this.#given) this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { bytes } of this.drain()) this.#onTaken(bytes)
    this.#failure = undefined
    this.finish()
    this.#onClose()
  }

  /** @internal Bytes held for a reader that has not come yet. */
  get bytes(): number {
    return this.#bytes
  }

  /** @internal How many values a reader who came later than they did has taken: whether anybody reads. */
  get taken(): number {
    return this.#taken
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
    if (this.#ended) return this.#onTaken(bytes)
    const waiter = this.#waiters.shift()
    if (waiter) {
      waiter.resolve(value)
      return this.#onTaken(bytes)
    }
    this.#held.push(value)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    this.#notify()
  }

  /** @internal No more values will come: the proper end, or the death of what they came from. Idempotent. */
  finish(failure?: WatError): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    for (const waiter of this.#waiters.drain()) {
      if (failure) waiter.reject(failure)
      else waiter.resolve(undefined)
    }
    this.#notify()
  }

  /** @internal Everything held, for whoever serves from now on. */
  drain(): { value: T; bytes: number }[] {
    const held = this.#held.slice(this.#first).map((value, n) => ({
      value,
      bytes: this.#sizes[this.#first + n] as number,
    }))
    this.#forget()
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

  #givenAway(): WatError {
    return new WatError('denied', 'this receiver has been sent to somebody else, who reads it now')
  }

  #take(): T {
    const value = this.#held[this.#first] as T
    const bytes = this.#sizes[this.#first] as number
    this.#bytes -= bytes
    this.#first++
    this.#taken++
    this.#onTaken(bytes)
    // Taken values leave the lists in bulk: shifting one by one would make a long queue quadratic.
    if (this.#first === this.#held.length || this.#first > 1024) {
      this.#held = this.#held.slice(this.#first)
      this.#sizes = this.#sizes.slice(this.#first)
      this.#first = 0
    }
    return value
  }

  #forget(): void {
    this.#held = []
    this.#sizes = []
    this.#first = 0
    this.#bytes = 0
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

/**
 * Waits for the first of several receivers that has a value or has ended, and gives that receiver.
 * Takes nothing: `recv` on it settles at once, and no value of the others is lost. When several are
 * ready the first in the list is given. One whose source died is ready: its `recv` rejects. Rejects with a `TypeError` when the list is empty.
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
