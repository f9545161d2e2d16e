import type { GlobalSignal } from '../ambient.ts'
import type { WatError } from '../error.ts'
import type { Request } from './handler.ts'

/** What the handler sees of a request. The signal is made when it is asked for: most never ask. */
export class OpenRequest implements Request {
  readonly id: number | undefined
  aborted = false
  #reason: WatError | undefined
  #controller: AbortController | undefined

  constructor(id: number | undefined) {
    this.id = id
  }

  get signal(): GlobalSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  abort(reason: WatError): void {
    if (this.aborted) return
    this.aborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
