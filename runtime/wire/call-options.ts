import type { GlobalSignal } from '../ambient.ts'

/** When a call is given up, and what it carries besides its body. A handler's `request` is such options, too. */
export interface CallOptions {
  /** Milliseconds until the call rejects with `timeout` and is cancelled at the other end; none are left below 1. */
  timeout?: number | undefined
  /** The same as a point in time: milliseconds since the epoch, as `Date.now()` gives them. The earlier one counts. */
  deadline?: number | undefined
  /** Aborting it rejects the call with `cancelled` and cancels it at the other end. */
  signal?: GlobalSignal | undefined
  /** For middleware, such as the id of a trace or a tenant: the handler finds it in `request.meta`. EDN values. */
  meta?: Readonly<Record<string, unknown>> | undefined
  /** The reply is not read: the call resolves with an `Unread`, to be read later or passed on. */
  lazy?: boolean | undefined
}
