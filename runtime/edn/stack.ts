import { WatError, type Asked, type WatCode } from '../error.ts'
import { programStack } from './fault.ts'

/** So many frames tell where the program was, four of them ours: more cost more, and are mostly thrown away. */
const SITE_FRAMES = 8

/** How an error has come to whoever catches it here. */
export interface Passage {
  /** The error as it was, with its own stack. */
  error: WatError
  /** The process that was asked, as this process knows it. */
  peer: string | undefined
  /** Where the program has asked: its `stack` is to be read with `programStack`. */
  site: Error
}

/** What is known of the place beside the error itself. */
interface Place {
  peer?: string
  /** Where the program has asked, if that was kept; otherwise the lines that await the promise are told. */
  site?: Error | undefined
  /** What was asked. */
  request?: Asked
  /** Whether the error's own stack is that of the peer, and worth keeping. */
  far?: boolean
}

/** Errors of calls that can be made again: with what they asked. */
const ANSWERED_BY_NOBODY = new Set<WatCode>([
  'offline',
  'timeout',
  'cancelled',
  'overloaded',
  'denied',
  'too-large',
])

const passages = new WeakMap<WatError, Passage>()

/** Where the program is at this moment. Costs about a microsecond; the text is made only when it is read. */
export function siteHere(): Error {
  const limit = framesAtMost(SITE_FRAMES)
  const site = new Error()
  if (limit !== undefined) Error.stackTraceLimit = limit
  return site
}

/** The same as often as it costs next to nothing, whatever the program does: some at once, then one in a millisecond. */
export function cheapSite(): Error | undefined {
  if (sitesLeft === 0) {
    const ms = now()
    if (ms === sitesOfMs) return undefined
    sitesLeft = Math.min(MAX_SITES_AT_ONCE, Math.abs(ms - sitesOfMs))
    sitesOfMs = ms
  }
  sitesLeft--
  return siteHere()
}

const MAX_SITES_AT_ONCE = 16
const { now } = Date
let sitesLeft = MAX_SITES_AT_ONCE
let sitesOfMs = 0

/** The error for one of those who wait for it: its stack ends with the lines of the program that asked. */
export function located(
  error: WatError,
  { peer, site = new Error(), far = false, request }: Place,
): WatError {
  const { code, message, address, data, cause } = error
  const options = { ...(address !== undefined && { address }), data, ...(cause !== undefined && { cause }) }
  // Without frames of its own: Node would print the line above, which says nothing to anybody.
  const limit = framesAtMost(0)
  const own = new WatError(code, message, options)
  if (limit !== undefined) Error.stackTraceLimit = limit
  passages.set(own, { error, peer, site })
  if (request && ANSWERED_BY_NOBODY.has(code))
    Object.defineProperty(own, 'request', { value: request, configurable: true })
  const place = (value: string) =>
    Object.defineProperty(own, 'stack', { value, writable: true, configurable: true })
  const get = () => {
    const theirs = far ? programStack(error) : undefined
    const asked = theirs === undefined ? [] : [theirs, `    at call to ${peer}`]
    const text = [`${own.name}: ${message}`, ...asked, programStack(site)].filter(Boolean).join('\n')
    place(text)
    return text
  }
  Object.defineProperty(own, 'stack', { get, set: place, configurable: true })
  return own
}

/**
 * Rejects with the error, to be given to the `resolve` of a promise that the program may await. V8 knows which
 * lines await a promise, and tells it to an error that is made in a chain of promises before that one: so an
 * error that is made here names those lines, and a call that does not fail pays nothing for it.
 */
export async function rejection(error: WatError, place: Place = {}): Promise<never> {
  // Until the promise that follows this one has been linked to it, and the program awaits that.
  if (place.site === undefined) for (let turn = 0; turn < LINKED_AFTER_TURNS; turn++) await turnOver
  throw located(error, place)
}

const LINKED_AFTER_TURNS = 3
const turnOver = Promise.resolve()

/** Resolves when whoever awaits what has been rejected so far has been told. */
export async function behindRejections<T>(value: T): Promise<T> {
  for (let turn = 0; turn < LINKED_AFTER_TURNS + TOLD_AFTER_TURNS; turn++) await turnOver
  return value
}

const TOLD_AFTER_TURNS = 2

/** How the error came here, if it was given to the program by one of the two above. */
export function passageOf(error: unknown): Passage | undefined {
  return passages.get(error as WatError)
}

/** Bounds the frames of the errors that are made from now on. Gives the bound that was; `undefined` to leave it. */
function framesAtMost(frames: number): number | undefined {
  const before = Error.stackTraceLimit
  // Not by an assignment: it throws where somebody has frozen `Error`.
  return before > frames && Reflect.set(Error, 'stackTraceLimit', frames) ? before : undefined
}
