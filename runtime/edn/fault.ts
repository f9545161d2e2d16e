import { Keyword, kw } from './keyword.ts'
import { WatError, type ExitStatus, type WatCode, type WatErrorData } from '../error.ts'

/** What happened to a process, three facts apart; absent is `undefined`. */
export interface Exit extends ExitStatus {
  /** What it said with its last words. */
  panic?: WatError
}

/** A fault as it travels: a map of EDN values (TIERS.md, Faults). */
export type FaultMap = Record<string, unknown>

/** A chain of causes longer than this is cut: a cause may point back at itself. */
const MAX_CAUSES = 32

/** An error, or whatever was thrown, as the map that `#wat/err`, `#wat/fault` and `#wat/panic` carry. */
export function toFault(error: unknown, address: string, depth = 0): FaultMap {
  try {
    return error instanceof Error ? errorFault(error, address, depth) : thrownValue(error, address)
  } catch {
    // A getter of the error throws, or its proxy does: that it was thrown is all that can be told.
    return { type: kw('wat/handler'), message: 'an error that cannot be read', address }
  }
}

function errorFault(error: Error, address: string, depth: number): FaultMap {
  const fault: FaultMap = { type: kw(`wat/${codeOf(error)}`), message: error.message }
  if (error instanceof WatError) {
    fault.address = error.address ?? address
    if (error.code === 'offline' && Object.keys(error.data).includes('exit'))
      return offlineFault(fault, error, address, depth)
    if (error.data !== undefined && !isEmptyOffline(error)) fault.data = error.data
  } else {
    fault.address = address
    if (error.name !== 'Error') fault.data = { name: error.name, ...ownData(error) }
    else if (Object.keys(error).length > 0) fault.data = ownData(error)
  }
  const stack = programStack(error)
  if (stack) fault.stack = stack
  if (error.cause !== undefined && depth < MAX_CAUSES) fault.cause = toFault(error.cause, address, depth + 1)
  return fault
}

/** The error a fault map stands for. Anything may come over a wire: what is missing or odd is left out. */
export function fromFault(fault: unknown, fallbackAddress?: string): WatError {
  const map = (typeof fault === 'object' && fault !== null ? fault : {}) as FaultMap
  const code = codeFrom(map.type)
  const options: { address?: string; data?: unknown; cause?: unknown } = {}
  const address = typeof map.address === 'string' ? map.address : fallbackAddress
  if (address !== undefined) options.address = address
  if (map.cause !== undefined) options.cause = fromFault(map.cause)
  if (map.data !== undefined) options.data = map.data
  if (code === 'offline' && map.exit !== undefined) {
    const exit = exitFrom(map.exit)
    options.data = map.panic === undefined ? { exit } : { exit, panic: map.panic }
    if (map.panic !== undefined) options.cause = fromFault(map.panic)
  }
  const message = typeof map.message === 'string' ? map.message : 'the fault carries no message'
  const error = new WatError(code, message, options)
  if (typeof map.stack === 'string') error.stack = `WatError: ${message}\n${map.stack}`
  else error.stack = `WatError: ${message}`
  return error
}

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
  if (typeof error.stack !== 'string') return undefined
  const lines = error.stack.split('\n')
  const title = lines.findIndex(line => line.startsWith(error.name))
  const place = title > 0 ? lines.slice(0, title).filter(line => line.trim() !== '') : []
  const frames = lines.filter(line => /^\s+at /.test(line) && !isInternal(line))
  return place.length + frames.length > 0 ? [...place, ...frames].join('\n') : undefined
}

const here = new URL('./', import.meta.url).href

/** Our own bundle and Node's inside say nothing to whoever wrote the program. */
function isInternal(frame: string): boolean {
  return frame.includes('node:') || frame.includes(here) || frame.includes('(<anonymous>)')
}

function thrownValue(value: unknown, address: string): FaultMap {
  const fault: FaultMap = { type: kw('wat/handler'), message: `thrown: ${describe(value)}`, address }
  if (value !== undefined && typeof value !== 'function' && typeof value !== 'symbol') fault.data = value
  return fault
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return String(value)
  } catch {
    return typeof value // an object whose toString throws
  }
}

function offlineFault(fault: FaultMap, error: WatError, address: string, depth: number): FaultMap {
  const { exit, panic } = error.data as WatErrorData['offline']
  fault.exit = exit
  // The panic is the cause: written once, or a chain through n levels would double n times.
  if (panic !== undefined) fault.panic = panic
  else if (error.cause !== undefined && depth < MAX_CAUSES)
    fault.cause = toFault(error.cause, address, depth + 1)
  return fault
}

/** What an `offline` says that knows nothing of an exit: `data` has but the `exit` that nobody sees. */
function isEmptyOffline({ code, data }: WatError): boolean {
  return code === 'offline' && Object.keys(data).length === 0
}

/** Anything may come over a wire. */
function exitFrom(exit: unknown): ExitStatus {
  const { code, signal } = (typeof exit === 'object' && exit !== null ? exit : {}) as Record<string, unknown>
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

/** `code`, `errno`, `syscall` and the like, which Node and libraries put on their errors. */
function ownData(error: Error): Record<string, unknown> {
  const data: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error)) {
    if (key === 'name' || key === 'stack' || key === 'message' || key === 'cause') continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      data[key] = value
  }
  return data
}

const codes = new Set<string>([
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

function codeOf(error: Error): WatCode {
  return error instanceof WatError ? error.code : 'handler'
}

function codeFrom(type: unknown): WatCode {
  const name = type instanceof Keyword ? type.name.slice('wat/'.length) : ''
  return codes.has(name) ? (name as WatCode) : 'handler'
}
