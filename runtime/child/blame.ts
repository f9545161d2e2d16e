import { WatError } from '../error.ts'

/** The same error with the child's name on it: it is the child that broke the protocol. */
export function blamed({ code, message, data, cause }: WatError, address: string): WatError {
  return new WatError(code, `from ${address}: ${message}`, {
    address,
    data,
    ...(cause !== undefined && { cause }),
  })
}
