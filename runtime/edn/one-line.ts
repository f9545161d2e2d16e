/**
 * The rule that every form has a line to itself. It is for input of which some was written by those who must not
 * reach beyond it: an unbalanced form ends with its line, and what stands behind another is no form.
 */
export class OneLine {
  /** A form has ended, and its line has not: where to look for its end in the current text. */
  #from: number

  /** What has been read so far has ended there in the current text; -1: there was nothing. */
  constructor(from: number) {
    this.#from = from
  }

  /** Whether a form that starts there has another before it on its line. */
  crowded(text: string, pos: number): boolean {
    if (this.#from === OVER) return false
    const lf = text.indexOf('\n', this.#from)
    this.#from = OVER
    return lf === -1 || lf >= pos
  }

  /** A form from `start` to `end` is complete. Where it has gone over the end of its line; -1 if it has not. */
  ends(text: string, start: number, end: number): number {
    const lf = text.indexOf('\n', start)
    this.#from = lf === end ? OVER : end
    return lf < end ? lf : -1
  }

  /** The text is used up, and no form is open. */
  spent(text: string): void {
    if (this.#from !== OVER) this.#from = text.includes('\n', this.#from) ? OVER : 0
  }

  /** Reading goes on behind the next line feed. */
  skips(): void {
    this.#from = OVER
  }
}

/** The line of the last form has ended. */
const OVER = -1
