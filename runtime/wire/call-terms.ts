import { describe } from '../edn/describe.ts'
import { WatError } from '../error.ts'
import type { CallOptions } from './call-options.ts'
import { isPlainMap } from './checks.ts'
import { MAX_WAITING_CALLS } from './limits.ts'
import { OpenRequest } from './open-request.ts'
import { Forwarding } from './forwarding.ts'

/** The callee, for messages. */
interface Callee {
  name: string
  address: string
}

/** Those of a call that has none. */
export const NO_OPTIONS: CallOptions = {}

/** The request that a call with these options passes on. */
export function passedOn(options: CallOptions): OpenRequest | undefined {
  if (options instanceof OpenRequest) return options
  return options instanceof Forwarding ? (options.request as OpenRequest) : undefined
}

/** Why a call with these options is not even begun. */
export function refusalOf(options: CallOptions, callee: Callee): WatError | undefined {
  const { timeout, deadline, meta, lazy } = options
  if (!isTime(timeout)) return notTaken('timeout is a number of milliseconds', timeout)
  if (!isTime(deadline)) return notTaken('deadline is a number of milliseconds since the epoch', deadline)
  if (lazy !== undefined && typeof lazy !== 'boolean') return notTaken('lazy is a boolean', lazy)
  if (meta !== undefined && !isPlainMap(meta)) return notTaken('meta is an object of EDN values', meta)
  // The signal of a request would have to be made.
  const request = passedOn(options)
  if (request?.aborted) return cancelled(callee, request.signal.reason)
  if (request === options || !options.signal?.aborted) return undefined
  return cancelled(callee, options.signal.reason)
}

/** Milliseconds until it is given up. */
export function timeLeft({ timeout, deadline }: CallOptions): number | undefined {
  const left = Math.min(
    timeout ?? Infinity,
    deadline === undefined ? Infinity : Math.max(0, deadline - Date.now()),
  )
  return left === Infinity ? undefined : left
}

/** What it carries along, if that is anything. */
export function metaOf({ meta }: CallOptions): CallOptions['meta'] {
  for (const _ in meta) return meta
  return undefined
}

export function timedOut({ name, address }: Callee, timeout: number): WatError {
  return new WatError('timeout', `no reply from ${name} within ${timeout} ms`, { address, data: { timeout } })
}

export function cancelled({ name, address }: Callee, cause: unknown): WatError {
  return new WatError('cancelled', `the call to ${name} was cancelled`, { address, cause })
}

export function overfull({ name, address }: Callee): WatError {
  return new WatError('overloaded', `${MAX_WAITING_CALLS} calls to ${name} wait already`, { address })
}

function isTime(ms: unknown): boolean {
  return ms === undefined || (typeof ms === 'number' && !Number.isNaN(ms))
}

function notTaken(rule: string, value: unknown): WatError {
  return new WatError('denied', `${rule}, not ${describe(value)}`)
}
