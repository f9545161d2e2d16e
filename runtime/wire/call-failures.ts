import { located, rejection } from '../edn/stack.ts'
import type { Asked, WatError } from '../error.ts'
import { NO_OPTIONS, overfull, refusalOf } from './call-terms.ts'
import type { CallOptions } from './call-options.ts'
import type { Call } from './call.ts'
import type { CallsOptions } from './calls-options.ts'
import { MAX_WAITING_CALLS } from './limits.ts'

/** How calls of one link fail: why, and how whoever made one is told. */
export class CallFailures {
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Why a call with these options is not even begun, with so many that wait. */
  refusal(options: CallOptions, waiting: number): WatError | undefined {
    const { peer } = this.#options
    const refusal = options === NO_OPTIONS ? undefined : refusalOf(options, peer())
    return refusal ?? (waiting >= MAX_WAITING_CALLS ? overfull(peer()) : undefined)
  }

  /** `far`: as the callee says. */
  reject(call: Call, error: WatError, far = false): void {
    if (call.resolve) call.resolve(this.rejected(call, error, call.site, far))
    else call.passedOn?.failedThere(this.located(error, far))
  }

  /** For a request that is passed on. */
  located(error: WatError, far = false): WatError {
    return located(error, { peer: this.#options.peer().address, far })
  }

  rejected({ body, meta }: Asked, error: WatError, site: Error | undefined, far = false): Promise<never> {
    const { peer, bodyOf = same } = this.#options
    return rejection(error, { peer: peer().address, site, far, request: { body: bodyOf(body), meta } })
  }
}

const same = <T>(body: T): T => body
