import type { WatError } from '../error.ts'
import type { CallWindow } from './call-window.ts'
import type { Call } from './call.ts'
import type { Asking, LineRequest, Passed, Passer, Text } from './passed.ts'

/**
 * A request that is passed on as the line that it is, and the call that it is there: one object for both, for they
 * come in millions.
 */
export class PassedLine implements Call, Passed, LineRequest {
  /** Of the call. */
  id = 0
  /** What that takes of the room there, until its handler has begun. */
  bytes = 0
  /** Of the request, and what that has taken. */
  readonly asked: number
  readonly size: number
  readonly window: CallWindow<Call>
  held: undefined
  readonly #asking: Asking
  readonly #passer: Passer
  declare readonly resolve: undefined
  declare readonly site: undefined
  declare readonly body: undefined
  declare readonly due: undefined
  declare readonly deadline: undefined
  declare readonly meta: Readonly<Record<string, never>>
  declare readonly lazy: true
  declare readonly to: 0

  static {
    // What is the same of all is kept once.
    Object.assign(this.prototype, { lazy: true, to: 0, meta: {} })
  }

  constructor(asked: number, size: number, window: CallWindow<Call>, asking: Asking, passer: Passer) {
    this.asked = asked
    this.size = size
    this.window = window
    this.#asking = asking
    this.#passer = passer
  }

  get passedOn(): this {
    return this
  }

  passedTo(): void {}

  /** It brings no references: what does is no such line. */
  pass(): void {}

  begin(): void {
    this.#asking.begun(this)
  }

  giveUp(reason: WatError): void {
    this.#passer.giveUp(this, reason)
  }

  replied(text: Text): void {
    this.#asking.replied(this, text)
  }

  passedBack(body: unknown): void {
    this.#asking.passedBack(this, body)
  }

  failedThere(error: WatError): void {
    this.#asking.failed(this, error)
  }
}
