/** What stands still so long is told. A reader who is slow takes something in this time. */
const STILL_MS = 1000

/**
 * Tells once of something that stands still although it is waited for. `look` is called when that may have begun,
 * and costs nothing while all moves.
 */
export class Standstill {
  #timer: NodeJS.Timeout | undefined
  #told = false
  readonly #mark: () => number | undefined
  readonly #tell: () => void

  /** `mark` is a number that changes with every step, `undefined` while nothing is held up. */
  constructor(mark: () => number | undefined, tell: () => void) {
    this.#mark = mark
    this.#tell = tell
  }

  look(): void {
    if (this.#told || this.#timer) return
    const before = this.#mark()
    if (before === undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#told = this.#mark() === before
      if (this.#told) this.#tell()
      else this.look()
    }, STILL_MS).unref()
  }
}
