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

/** The link that calls of something go by. */
export interface Route {
  /** Passes a request on, which is told how that ends. */
  pass(request: Passed): void
}
