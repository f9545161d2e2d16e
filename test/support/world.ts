import { Random } from '../reliability/random.ts'

/** What is tried with each of these holds however bytes are cut and whatever happens first. */
export const seeds = [1, 2, 3, 4, 5]

/** A world that does not come to rest within so many steps never will. */
const MAX_STEPS = 2_000_000

/**
 * What happens outside of a program, one thing at a time, in an order that a seed decides: the same seed gives the
 * same run, to the microtask. Nothing here waits for a clock.
 */
export class World {
  readonly random: Random
  readonly #tasks: (() => void)[] = []
  /** Called after each step: throws what must never be the case. */
  check = (): void => {}
  steps = 0

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  /** Something will happen, later. */
  post(task: () => void): void {
    this.#tasks.push(task)
  }

  chance(probability: number): boolean {
    return this.random.next() < probability
  }

  /** Lets things happen until nothing is left that could. */
  async rest(): Promise<void> {
    await turn()
    while (this.#tasks.length > 0) {
      if (++this.steps > MAX_STEPS) throw new Error('the world does not come to rest')
      this.#step()
      this.check()
      // Mostly promises settle before anything else happens, as on an event loop; what is read in one turn is not told apart.
      if (this.#tasks.length === 0 || this.chance(0.7)) await turn()
      else for (let n = this.random.below(4); n > 0; n--) await Promise.resolve()
    }
    this.check()
  }

  /** The same, and what the promise resolves with; fails when nothing can settle it any more. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const note = () => void (settled = true)
    promise.then(note, note)
    await this.rest()
    if (!settled) throw new Error('nothing is left that could settle this promise')
    return promise
  }

  #step(): void {
    const { random } = this
    const at = random.below(this.#tasks.length)
    const task = this.#tasks[at] as () => void
    this.#tasks[at] = this.#tasks[this.#tasks.length - 1] as () => void
    this.#tasks.pop()
    task()
  }
}

/** All microtasks have run after it. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
