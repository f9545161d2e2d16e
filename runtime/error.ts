/**
 * What went wrong, in one word: the `:type` of a fault without its `wat/` namespace (TIERS.md, Faults).
 */
export type WatCode =
  | 'handler' // the program's own code threw
  | 'timeout' // no reply within the caller's time
  | 'cancelled' // the caller no longer wants the reply
  | 'offline' // the other end is gone; `exit` and `panic` say how
  | 'malformed' // not EDN, or not a frame
  | 'too-large' // a form over `maxFrame`
  | 'no-handler' // a request to a program that does not serve
  | 'overloaded' // more calls than may wait
  | 'denied' // not allowed: a reserved tag, a use of what is not yours
  | 'encode' // a value that EDN cannot carry

/** What an error tells besides its code and message. */
export interface WatErrorOptions {
  /** Where in the tree it happened: the address of the process that made the error. */
  address?: string
  /** Machine-readable detail, EDN values only. */
  data?: unknown
  /** What led to it. A chain of causes survives every edge of the tree. */
  cause?: unknown
}

/** Every error of this package. Branch on `code`, never on `message`. */
export class WatError extends Error {
  /** `'WatError'`, for whoever prints it. */
  override readonly name = 'WatError'
  /** What went wrong, in one word. */
  readonly code: WatCode
  /** The address of the process in which the error arose; `undefined` when it arose here. */
  address: string | undefined
  /** Machine-readable detail; `undefined` when there is none. */
  readonly data: unknown

  constructor(code: WatCode, message: string, options: WatErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.address = options.address
    this.data = options.data
  }
}
