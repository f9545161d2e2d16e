import type { WatError } from '../error.ts'

/** The references that a body has brought. */
interface Brought {
  passOn(): void
  turnAway(): void
}

/** Whoever makes the call by which a request is passed on. */
export interface Passer {
  /** Nobody waits for it any more. */
  giveUp(call: object, cause: unknown): void
}

/** A request that is passed on to another link, without a promise in between. */
export interface Passed {
  readonly body: unknown
  readonly deadline: number | undefined
  readonly meta: Readonly<Record<string, unknown>>
  /** This call is made of it: its abort is that call's. */
  passedTo(passer: Passer, call: object): void
  /** Its handler has begun there. */
  begin(): void
  /** References that only pass: they are let go when it has been answered. */
  pass(brought: Brought | undefined): void
  /** Its reply has come from there. */
  passedBack(body: unknown): void
  /** It cannot be answered there. */
  failedThere(error: WatError): void
}

/** The text of a body: a part of these bytes, which is there only now. */
export interface Text {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** A request that is passed on as the line that it is. */
export interface LineRequest {
  /** Its id where it was asked, and what it takes there. */
  readonly asked: number
  readonly size: number
  /** Nobody waits for it any more. */
  giveUp(reason: WatError): void
}

/** The link that such requests come from. */
export interface Asking {
  begun(line: LineRequest): void
  /** The reply has come as a line, or in another way. */
  replied(line: LineRequest, text: Text): void
  passedBack(line: LineRequest, body: unknown): void
  failed(line: LineRequest, error: WatError): void
}

/** The link that calls of something go by. */
export interface Route {
  /** Passes a request on, which is told how that ends. */
  pass(request: Passed): void
  /** The same with the line of one; `undefined`: not now, or not there. */
  passLine?(asked: number, size: number, text: Text, asking: Asking): LineRequest | undefined
}
