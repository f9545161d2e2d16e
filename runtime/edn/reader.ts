import { advance } from './advance.ts'
import { OneLine } from './one-line.ts'
import type { ReaderOptions } from './options.ts'
import { ReaderState } from './state.ts'

/**
 * Reads values from text or bytes that come in pieces of any size. Time is linear in the input however it is
 * split. After an error reading goes on at the next line (`malformed`) or behind the form (`too-large`).
 */
export class Reader {
  /** What the last `next()` that returned true has read. */
  value: unknown = undefined
  /** Bytes of input since the value before it; a guess where other than ASCII is among them. */
  valueBytes = 0

  private readonly state: ReaderState
  private valueEnd = 0

  constructor(options?: ReaderOptions) {
    this.state = new ReaderState(options)
  }

  /** More input: text, or UTF-8 bytes that may be split inside a character. */
  push(chunk: string | Uint8Array): void {
    this.state.source.push(chunk)
  }

  /** There is no more input. */
  end(): void {
    this.state.source.end()
  }

  /** @internal From here on each form has a line to itself; what breaks that is malformed, and ends with its line. */
  oneFormPerLine(): void {
    const { taken, source } = this.state
    this.state.lines ??= new OneLine(taken > 0 ? source.pos : -1)
  }

  /** Inside a form, or behind a tag or `#_` whose value has not come. */
  get pending(): boolean {
    return this.state.inForm
  }

  /** Bytes pushed and not yet given out as values: those of the unfinished form, and what was not looked at. */
  get buffered(): number {
    return this.state.source.pushed - this.state.taken
  }

  /**
   * True: the next value is in `value`. False: more input is needed or, after `end()`, there is none. Throws a
   * `WatError`, `malformed` or `too-large`, whose `data` has `offset`, `line` and `column`; `incomplete: true` if
   * the input ended inside a form; and `head: { tag, id }` if the form was `#tag [id …` with a number for id.
   */
  next(): boolean {
    const { state } = this
    const found = advance(state)
    this.value = state.value
    state.value = undefined
    if (!found) return false
    this.valueBytes = state.taken - this.valueEnd
    this.valueEnd = state.taken
    return true
  }
}
