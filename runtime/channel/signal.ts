import { AT } from './layout.ts'

/** Looks at the ring so often before a thread sleeps: to wake it takes longer than most waits. */
const SPINS = 200

/**
 * One side sleeps on it, the other wakes it. A sleeper reads the event's number, says that it sleeps,
 * looks again, and sleeps only while the number is the same. Whoever wakes has changed the ring before,
 * and takes back the "sleeps" before it changes the number. So either the sleeper sees the change when
 * it looks again, or the waker sees that it sleeps; and a flag taken back too early comes with a new number.
 */
export class Signal {
  readonly #words: Int32Array
  readonly #event: number
  readonly #sleeps: number
  #sleep: Promise<void> | undefined

  constructor(words: Int32Array, event: number, sleeps: number) {
    this.#words = words
    this.#event = event
    this.#sleeps = sleeps
  }

  /** Wakes who sleeps. Cheap when nobody does. */
  wake(): void {
    if (Atomics.load(this.#words, this.#sleeps) !== 0) this.wakeAll()
  }

  /** The same for what happens seldom. */
  wakeAll(): void {
    Atomics.store(this.#words, this.#sleeps, 0)
    Atomics.add(this.#words, this.#event, 1)
    Atomics.notify(this.#words, this.#event)
  }

  /** Blocks the thread until `ready`; gives `false` when that took longer. */
  blockUntil(ready: () => boolean, timeoutMs = Infinity): boolean {
    for (let spin = 0; spin < SPINS; spin++) if (ready()) return true
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const event = this.#announce()
      if (ready()) return true
      const rest = deadline - performance.now()
      if (rest <= 0) return false
      Atomics.wait(this.#words, this.#event, event, rest)
    }
  }

  /**
   * Resolves with the next event, or earlier: look again then. One `waitAsync` serves everybody in this
   * thread who waits here.
   */
  sleepUnless(ready: () => boolean): Promise<void> | undefined {
    if (this.#sleep) return this.#sleep
    for (let spin = 0; spin < SPINS; spin++) if (ready()) return undefined
    const event = this.#announce()
    if (ready()) return undefined
    const { async, value } = Atomics.waitAsync(this.#words, this.#event, event)
    if (!async) return undefined
    return (this.#sleep = value.then(() => {
      this.#sleep = undefined
    }))
  }

  #announce(): number {
    const event = Atomics.load(this.#words, this.#event)
    Atomics.store(this.#words, this.#sleeps, 1)
    return event
  }
}

/** Where readers wait for messages, and the end. */
export function readersSignal(words: Int32Array): Signal {
  return new Signal(words, AT.readersEvent, AT.readersSleep)
}

/** Where the writer waits for room, and for the last reader to go. */
export function writerSignal(words: Int32Array): Signal {
  return new Signal(words, AT.writerEvent, AT.writerSleeps)
}
