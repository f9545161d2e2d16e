import { Hold } from './hold.ts'

/** Does one thing after the other, in the order asked for, and keeps the event loop alive meanwhile. */
export class Turns {
  readonly #hold = new Hold()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** Whether somebody waits already. */
  get busy(): boolean {
    return this.#waiting > 0
  }

  /** Does it when everything before it is done, or has failed. */
  take<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const turn = async () => {
      try {
        return await work()
      } finally {
        this.#waiting--
      }
    }
    const before = this.#last
    const done = this.#hold.during(() => before.then(turn, turn))
    this.#last = done
    return done
  }
}
