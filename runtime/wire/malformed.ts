import { WatError } from '../error.ts'

/** The error for a frame that breaks a rule of the wire. */
export function malformed(rule: string): WatError {
  return new WatError('malformed', rule)
}
