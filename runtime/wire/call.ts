import type { GlobalSignal } from '../ambient.ts'
import type { CallWindow } from './call-window.ts'
import type { Head } from './head.ts'
import type { Numbered } from './open-calls.ts'
import type { Passed } from './passed.ts'
import type { Place } from './queue.ts'

/** What must not be let go before a call has settled. */
export interface Held {
  hold(): void
  letGo(): void
}

/** What is written of a call. */
export interface Ask {
  body: unknown
  /** The reference that it is for; 0: whatever serves at the other end. */
  readonly to: number
  /** When it is given up, in milliseconds since the epoch. */
  readonly due: number | undefined
  readonly meta: Readonly<Record<string, unknown>> | undefined
}

/** A call that has not settled. */
export interface Call extends Numbered, Ask {
  readonly window: CallWindow<Call>
  /** What its request takes of the room at the other end, until its handler has begun. */
  bytes: number
  /** `undefined` for a request that is passed on: that one is told. */
  readonly resolve: ((body: unknown) => void) | undefined
  /** Where the program made it, if that was kept. */
  site: Error | undefined
  /** While it waits for a place among the open ones. */
  place?: Place<Call>
  timer?: NodeJS.Timeout
  unlisten?: () => void
  /** The request of a handler that it passes on. */
  passedOn: Passed | undefined
  held: Held | undefined
  signal?: GlobalSignal
  /** Its reply is not read. */
  readonly lazy: boolean
}

/** What its frame says besides its body. */
export function headOf({ to, due, meta }: Ask): Head {
  return {
    ...(to !== 0 && { to }),
    ...(due !== undefined && { timeoutMs: Math.max(0, due - Date.now()) }),
    ...(meta && { meta: { ...meta } }),
  }
}

/** It has settled: nothing waits for it, and it holds nothing. */
export function release(call: Call): void {
  clearTimeout(call.timer)
  call.unlisten?.()
  const { held } = call
  call.held = undefined
  held?.letGo()
}
