import { describe } from './describe.ts'
import { Keyword, kw } from './keyword.ts'
import { isError } from './plain.ts'
import { WatError, type ExitStatus, type WatCode } from '../error.ts'

/** What happened to a process, three facts apart; absent is `undefined`. */
export interface Exit extends ExitStatus {
  /** What it said with its last words. */
  panic?: WatError
}

/** A fault as it travels: a map of EDN values (docs/protocol.md, Faults). */
export type FaultMap = Record<string, unknown>

/** A chain of causes longer than this is cut: a cause may point back at itself. */
export const MAX_CAUSES = 32

/** A fault gains lines in every process that it passes; behind so many they are cut. */
const MAX_STACK_LINES = 200

/**
 * An error, or whatever was thrown, as the map that `#wat/err`, `#wat/fault`, `#wat/panic` and `#wat/error` carry.
 * Without an address of its own the error has the one given, if any. Never throws.
 */
export function toFault(error: unknown, address?: string): FaultMap {
  const first: FaultMap = {}
  let fault = first
  let link: unknown = error
  for (let depth = 0; ; depth++) {
    faults.add(fault)
    const cause = tell(fault, link, address)
    if (cause === undefined || depth === MAX_CAUSES) return first
    link = cause
    fault = fault.cause = {}
  }
}

/** Whether `toFault` has made it. */
export function isFault(map: object): boolean {
  return faults.has(map)
}

/** Whether it is an error. It may be anything, also a proxy, which may throw at any question. */
export function isThrownError(error: unknown): error is Error {
  return attempt(() => isObject(error) && isError(error)) === true
}

const faults = new WeakSet<object>()

/** Puts what there is to say of the error into the fault, and gives its cause. */
function tell(fault: FaultMap, error: unknown, address: string | undefined): unknown {
  if (isThrownError(error)) return tellError(fault, error, address)
  fault.type = kw('wat/handler')
  fault.message = `thrown: ${describe(error)}`
  if (address !== undefined) fault.address = address
  if (error !== undefined && typeof error !== 'function' && typeof error !== 'symbol') fault.data = error
  return undefined
}

function tellError(fault: FaultMap, error: Error, address: string | undefined): unknown {
  const wat = attempt(() => error instanceof WatError) ? (error as WatError) : undefined
  const code = attempt(() => wat?.code)
  const from: unknown = attempt(() => wat?.address) ?? address
  const data = attempt(() => (wat === undefined ? nameAndData(error) : wat.data))
  fault.type = kw(`wat/${codes.has(code) ? code : 'handler'}`)
  fault.message = textOf(() => error.message)
  if (typeof from === 'string') fault.address = from
  if (code === 'offline' && attempt(() => isExit(data))) {
    const end = data as { exit: unknown; panic?: unknown }
    fault.exit = attempt(() => end.exit)
    // The panic is the cause: written once, or a chain through n levels would double n times.
    const panic = attempt(() => end.panic)
    if (panic !== undefined) fault.panic = panic
  } else if (data !== undefined && !(code === 'offline' && isEmpty(data))) fault.data = data
  const stack = attempt(() => programStack(error))
  if (stack) fault.stack = stack
  return fault.panic === undefined ? attempt(() => error.cause) : undefined
}

/** What a getter gives; `undefined` when it throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function textOf(read: () => unknown): string {
  const value = attempt(read)
  return typeof value === 'string'
    ? value
    : value === undefined
      ? 'an error without a message'
      : describe(value)
}

/** The error a fault map stands for. Anything may come over a wire: what is missing or odd is left out. Never throws. */
export function fromFault(fault: unknown, fallbackAddress?: string): WatError {
  if (fault instanceof WatError) return fault
  const chain: FaultMap[] = []
  let link: unknown = fault
  do {
    const map = isFields(link) ? link : {}
    chain.push(map)
    link = isOffline(map) && map.panic !== undefined ? map.panic : map.cause
  } while (isFields(link) && chain.length <= MAX_CAUSES)
  let cause = link instanceof WatError ? link : undefined
  for (let i = chain.length - 1; i >= 0; i--)
    cause = errorFrom(chain[i]!, cause, i === 0 ? fallbackAddress : undefined)
  return cause!
}

function errorFrom(
  map: FaultMap,
  cause: WatError | undefined,
  fallbackAddress: string | undefined,
): WatError {
  const options: { address?: string; data?: unknown; cause?: unknown } = {}
  const address = typeof map.address === 'string' ? map.address : fallbackAddress
  if (address !== undefined) options.address = address
  if (cause !== undefined) options.cause = cause
  if (map.data !== undefined) options.data = map.data
  if (isOffline(map)) {
    const exit = exitFrom(map.exit)
    options.data = map.panic === undefined ? { exit } : { exit, panic: map.panic }
  }
  const message = typeof map.message === 'string' ? map.message : 'the fault carries no message'
  const error = new WatError(codeFrom(map.type), message, options)
  error.stack = typeof map.stack === 'string' ? `WatError: ${message}\n${map.stack}` : `WatError: ${message}`
  return error
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isFields = (value: unknown): value is FaultMap =>
  isObject(value) && Object.getPrototypeOf(value) === Object.prototype

const isOffline = (map: FaultMap): boolean => codeFrom(map.type) === 'offline' && map.exit !== undefined

/** The rejection of everything that waited for a process which is gone. */
export function offline(what: string, address: string, exit: Exit): WatError {
  const how =
    exit.signal !== undefined
      ? `was killed by ${exit.signal}`
      : exit.code !== undefined
        ? `exited with code ${exit.code}`
        : 'is gone'
  const why = exit.panic === undefined ? '' : `: ${exit.panic.message}`
  const data: Record<string, unknown> = { exit: exitMap(exit) }
  if (exit.panic !== undefined) data.panic = toFault(exit.panic, address)
  return new WatError('offline', `${what} ${how}${why}`, {
    address,
    data,
    ...(exit.panic === undefined ? {} : { cause: exit.panic }),
  })
}

/**
 * The program's own part of a stack: no frame of Node's inside or of this package. A syntax error has
 * the place in the source instead, which V8 puts above the error's name.
 */
export function programStack(error: Error): string | undefined {
  const { stack } = error
  if (typeof stack !== 'string') return undefined
  const header = `${error.name}: ${error.message}\n`
  // What came with a fault is the program's already, and may begin with a place in a source.
  const told = error instanceof WatError && stack.startsWith(header) ? stack.slice(header.length) : undefined
  const lines = (told ?? stack).split('\n')
  const title = told === undefined ? lines.findIndex(line => line.startsWith(error.name)) : -1
  const place = title > 0 ? lines.slice(0, title).filter(line => line.trim() !== '') : []
  const frames = lines.filter(line => (isFrame(line) ? !isInternal(line) : told !== undefined))
  const kept = [...place, ...frames].slice(0, MAX_STACK_LINES)
  return kept.length > 0 ? kept.join('\n') : undefined
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line)
}

const here = new URL('./', import.meta.url).href

/** Our own bundle and Node's inside say nothing to whoever wrote the program. */
function isInternal(frame: string): boolean {
  return frame.includes('node:') || frame.includes(here) || frame.includes('(<anonymous>)')
}

/** An `offline` that knows nothing of an exit has but an `exit` that nobody sees. */
const isExit = (data: unknown): boolean => isObject(data) && Object.keys(data).includes('exit')

const isEmpty = (data: unknown): boolean =>
  attempt(() => isObject(data) && Object.keys(data).length === 0) === true

/** Anything may come over a wire. */
function exitFrom(exit: unknown): ExitStatus {
  const { code, signal } = isFields(exit) ? exit : {}
  return {
    ...(typeof code === 'number' && { code }),
    ...(typeof signal === 'string' && { signal }),
  }
}

function exitMap(exit: Exit): Record<string, unknown> {
  const map: Record<string, unknown> = {}
  if (exit.code !== undefined) map.code = exit.code
  if (exit.signal !== undefined) map.signal = exit.signal
  return map
}

/** What tells the kind of an error that is none of ours, and what it carries. */
function nameAndData(error: Error): Record<string, unknown> | undefined {
  const data: Record<string, unknown> = {}
  const name = attempt(() => error.name)
  if (typeof name === 'string' && name !== 'Error') data.name = name
  Object.assign(data, ownData(error))
  if (error instanceof AggregateError && Array.isArray(error.errors)) {
    data.errors = error.errors.slice(0, MAX_CAUSES)
  }
  return Object.keys(data).length === 0 ? undefined : data
}

/** `code`, `errno`, `syscall` and the like, which Node and libraries put on their errors. */
function ownData(error: Error): Record<string, unknown> {
  const data: Record<string, unknown> = {}
  for (const key of Object.keys(error)) {
    if (key === 'name' || key === 'stack' || key === 'message' || key === 'cause') continue
    const value = attempt(() => (error as unknown as Record<string, unknown>)[key])
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      data[key] = value
  }
  return data
}

const codes = new Set<unknown>([
  'handler',
  'timeout',
  'cancelled',
  'offline',
  'malformed',
  'too-large',
  'no-handler',
  'overloaded',
  'denied',
  'encode',
])

function codeFrom(type: unknown): WatCode {
  const name = type instanceof Keyword ? type.name.slice('wat/'.length) : ''
  return codes.has(name) ? (name as WatCode) : 'handler'
}
