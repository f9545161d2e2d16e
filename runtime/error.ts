/**
 * What went wrong, in one word: the `:type` of a fault without its `wat/` namespace (docs/protocol.md, Faults).
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

/** How a process ended; absent is `undefined`. */
export interface ExitStatus {
  /** Its exit code, when it ended by itself. */
  code?: number
  /** The signal that killed it. */
  signal?: string
}

/** Where in the input: from 0 in `offset`, from 1 in `line` and `column`. */
interface Place {
  /** Units of UTF-16 before it, or bytes where bytes were read. */
  readonly offset?: number
  /** Its line. */
  readonly line?: number
  /** Its column. */
  readonly column?: number
}

/**
 * What an error carries in `data`, by its code. Only `exit` of `offline` is always there: of the rest any may be
 * missing, above all where a program or a peer in another language made the error.
 */
export interface WatErrorData extends Record<WatCode, unknown> {
  /** What a `WatError` was given; of another error its name and simple fields; what was thrown if it is no error. */
  handler: unknown
  /** How long the caller waited. */
  timeout:
    | {
        /** The caller's time, in milliseconds. */
        readonly timeout?: number
      }
    | undefined
  /** What the error was given. */
  cancelled: unknown
  /** How the other end ended, and of what. */
  offline: {
    /** How the other end ended; empty where nobody knows. */
    readonly exit: ExitStatus
    /** The fault it died of, which is the `cause`, too. */
    readonly panic?: unknown
    /** The system's word for what is wrong with a connection or a pipe, as `'EPIPE'`. */
    readonly code?: string
  }
  /** Where it is. */
  malformed:
    | (Place & {
        /** That the text ends inside a form. */
        readonly incomplete?: boolean
      })
    | undefined
  /** Where it came in; how large it was and what is allowed, as far as they are known. */
  'too-large':
    | (Place & {
        /** How large it was, or what was known of that. */
        readonly bytes?: number
        /** The limit, in bytes. */
        readonly maxFrame?: number
      })
    | undefined
  /** What the error was given. */
  'no-handler': unknown
  /** What the error was given. */
  overloaded: unknown
  /** What was refused, where that needs to be told. */
  denied: unknown
  /** What cannot be written. */
  encode:
    | {
        /** The path to the culprit, as `$.a[0]`. */
        readonly path?: string
      }
    | undefined
}

/** What an error tells besides its code and message. */
export interface WatErrorOptions {
  /** Where in the tree it happened: the address of the process that made the error. */
  address?: string | undefined
  /** Machine-readable detail, EDN values only; for `offline` a map. */
  data?: unknown
  /** What led to it. A chain of causes survives every edge of the tree. */
  cause?: unknown
}

/** A `WatError` of one code. */
export interface WatErrorOf<Code extends WatCode> extends Error {
  /** `'WatError'`, for whoever prints it. */
  readonly name: 'WatError'
  /** What went wrong, in one word. */
  readonly code: Code
  /** The address of the process in which the error arose; `undefined` when it arose here. */
  address: string | undefined
  /** Machine-readable detail, by the code; `undefined` when there is none. */
  readonly data: WatErrorData[Code]
  /** What led to it; `undefined` when there is nothing. */
  cause?: unknown
  /**
   * What the call asked that rejects with it, to be asked again. It is there where no handler has answered, and stays
   * in this process.
   */
  readonly request?: Asked | undefined
}

/** What a call has asked, as it was given. */
export interface Asked {
  /** Its body. */
  readonly body: unknown
  /** Its `meta`, if it had any. */
  readonly meta: Readonly<Record<string, unknown>> | undefined
}

/**
 * Every error of this package. Branch on `code`, never on `message`: `if (error.code === 'offline')` makes
 * `error.data.exit.code` known to the compiler.
 */
export type WatError<Code extends WatCode = WatCode> = { [Each in Code]: WatErrorOf<Each> }[Code]

interface WatErrorConstructor {
  new <Code extends WatCode>(code: Code, message: string, options?: WatErrorOptions): WatError<Code>
  /** What a class can extend, which a union of types is not. */
  new (code: WatCode, message: string, options?: WatErrorOptions): WatErrorOf<WatCode>
  [Symbol.hasInstance](value: unknown): value is WatError
}

/** Makes such errors, and tells them: `error instanceof WatError`. */
// A class cannot be a union of types, which `data` needs to follow `code`.
export const WatError = class extends Error {
  override readonly name = 'WatError'
  readonly code: WatCode
  address: string | undefined
  readonly data: unknown

  constructor(code: WatCode, message: string, options: WatErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.address = options.address
    this.data = code === 'offline' ? withExit(options.data) : options.data
  }
} as unknown as WatErrorConstructor

/**
 * Whoever has an `offline` may read `data.exit`. Where nobody knows how the other end went it is empty, and
 * no field that is shown or sent.
 */
function withExit(data: unknown): object {
  try {
    const map: { exit?: unknown } = typeof data === 'object' && data !== null ? data : {}
    const known = typeof map.exit === 'object' && map.exit !== null
    return known ? map : withoutExit(map)
  } catch {
    return withoutExit({}) // a proxy or a getter may throw: an error that says so would hide this one
  }
}

function withoutExit(map: object): object {
  return Object.defineProperty({ ...map }, 'exit', { value: {}, enumerable: false })
}
