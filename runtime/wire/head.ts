import { stringify } from '../edn/index.ts'
import type { Arrival } from './refs/arrival.ts'
import { isCount, isPlainMap } from './checks.ts'
import { MAX_REFS } from './limits.ts'
import { malformed } from './malformed.ts'

/** All that one side has, and all that it has been given. */
const MAX_MENTIONS = 2 * MAX_REFS

/** What a frame says besides its body. Keys that are not known are not looked at. */
export interface Head {
  /** The reference that is called; without it, whatever serves. */
  to?: number
  /** The references of the body: `#wat/ref n` stands for the one in place n. */
  refs?: readonly Mention[]
  /** How much time the caller has left, in milliseconds. */
  timeoutMs?: number
  /** What the caller gives along. */
  meta?: Record<string, unknown>
  /** What the frame has brought, to be turned away with it. */
  arrival?: Arrival
}

/**
 * A reference in a head: the number of one that the sender has exported, and what it is, or below 0 the number of
 * one that the receiver has: then it comes home.
 */
export type Mention = number | readonly [id: number, about: Readonly<Record<string, unknown>>]

/** Throws `malformed` for what is none. */
export function readHead(map: unknown): Head {
  if (!isPlainMap(map)) throw malformed('the head of a frame is a map with keyword keys')
  const { to, refs, meta, 'timeout-ms': timeoutMs } = map
  const head: Head = {}
  if (isGiven(to)) head.to = must(to, isCount, ':to is the number of a reference')
  if (isGiven(refs)) head.refs = must(refs, isMentions, ':refs is a vector of references')
  if (isGiven(timeoutMs))
    head.timeoutMs = must(timeoutMs, isNumber, ':timeout-ms is a number of milliseconds')
  if (isGiven(meta)) head.meta = must(meta, isPlainMap, ':meta is a map with keyword keys')
  return head
}

/** The text of a head. Throws `encode` for a `meta` that EDN cannot carry. */
export function headText({ to, refs, timeoutMs, meta }: Head): string {
  return stringify({ to, refs, 'timeout-ms': timeoutMs, meta })
}

/** The number in a mention. */
export function idOfMention(mention: Mention): number {
  return typeof mention === 'number' ? mention : mention[0]
}

function isMentions(value: unknown): value is Mention[] {
  return Array.isArray(value) && value.length <= MAX_MENTIONS && value.every(isMention)
}

function isMention(value: unknown): value is Mention {
  if (Array.isArray(value)) return value.length === 2 && isCount(value[0]) && isPlainMap(value[1])
  return Number.isSafeInteger(value) && value !== 0
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value)
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function must<T>(value: unknown, is: (value: unknown) => value is T, rule: string): T {
  if (is(value)) return value
  throw malformed(rule)
}
