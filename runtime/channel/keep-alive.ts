/** The longest a timer can be set for. */
const LONG_MS = 2 ** 31 - 1

/**
 * Keeps the event loop alive. A pending `Atomics.waitAsync` does not: a program that only awaits it ends, its
 * promise unsettled.
 */
export class KeepAlive {
  #holders = 0
  #timer: ReturnType<typeof setInterval> | undefined

  /** From now on, or no longer. */
  set(on: boolean): void {
    if (on) this.#timer ??= setInterval(() => {}, LONG_MS)
    else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#holders++ === 0) this.set(true)
    try {
      return await work()
    } finally {
      if (--this.#holders === 0) this.set(false)
    }
  }
}
