import { WatError } from '../error.ts'
import { BASIC_PROTOCOL, PROTOCOL } from './limits.ts'

/** How a process ended, in a frame or on the control lane: an exit code, a signal, or neither. Throws `malformed`. */
export function endOf(map: Record<string, unknown>): {
  code: number | undefined
  signal: string | undefined
} {
  const { code, signal } = map
  const known = (code ?? undefined) === undefined || Number.isSafeInteger(code)
  if (known && isText(signal ?? '')) {
    return {
      code: (code ?? undefined) as number | undefined,
      signal: (signal ?? undefined) as string | undefined,
    }
  }
  throw new WatError('malformed', '#wat/exit takes :code, an integer, and :signal, a name')
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}

/** Variables of an environment, each with its value, or nil for one that is taken away. */
export function isVariables(value: unknown): value is [variable: string, value: string | null][] {
  return (
    Array.isArray(value) &&
    value.every(pair => Array.isArray(pair) && pair.length === 2 && isTexts([pair[0], pair[1] ?? '']))
  )
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

export function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

export function isVersion(version: unknown): version is number {
  return typeof version === 'number' && Number.isInteger(version) && version >= BASIC_PROTOCOL
}

/** The version of the protocol that a frame names, as far as this side speaks it. Throws `malformed`. */
export function versionOf(protocol: unknown): number {
  if (isVersion(protocol)) return Math.min(protocol, PROTOCOL)
  throw new WatError('malformed', ':protocol is a version number')
}
