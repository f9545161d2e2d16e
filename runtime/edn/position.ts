/** A place in the input. */
export interface Position {
  /** UTF-16 units from the start of the input, from 0. */
  offset: number
  /** From 1. */
  line: number
  /** UTF-16 units from the start of the line, from 1. */
  column: number
}
