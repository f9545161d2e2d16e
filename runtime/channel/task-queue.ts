import { KeepAlive } from './keep-alive.ts'

/** So many in a row without the event loop: promises that are settled already keep it from turning. */
const IN_A_ROW = 1000

/** Does one thing after the other, in the order asked for, and keeps the event loop alive meanwhile. */
export class TaskQueue {
  readonly #keepAlive = new KeepAlive()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #inARow = 0

  /** Whether somebody waits already. */
  get busy(): boolean {
    return this.#waiting > 0
  }

  /** Whether the next thing may be done at once, without `add`: nobody waits, and it is not one too many. */
  goOn(): boolean {
    return this.#waiting === 0 && ++this.#inARow < IN_A_ROW
  }

  /** Does it when everything before it is done, or has failed. */
  add<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const task = async () => {
      try {
        if (this.#inARow >= IN_A_ROW) await this.#breathe()
        return await work()
      } finally {
        this.#waiting--
      }
    }
    const before = this.#last
    const done = this.#keepAlive.during(() => before.then(task, task))
    this.#last = done
    return done
  }

  async #breathe(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    this.#inARow = 0
  }
}
