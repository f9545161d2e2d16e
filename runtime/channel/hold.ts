/** The longest a timer can be set for. */
const LONG_MS = 2 ** 31 - 1

/**
 * Keeps the event loop alive. A pending `Atomics.waitAsync` does not: a program that only awaits it ends, its
 * promise unsettled.
 */
export class Hold {
  #holders = 0
  #timer: ReturnType<typeof setInterval> | undefined

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#holders++ === 0) this.#timer = setInterval(() => {}, LONG_MS)
    try {
      return await work()
    } finally {
      if (--this.#holders === 0) clearInterval(this.#timer)
    }
  }
}
