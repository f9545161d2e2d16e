import { WatError } from '../error.ts'

/** The other end is gone, or the device is full: one code, the cause tells which. */
export function brokenPipe(cause: Error): WatError {
  const code = (cause as NodeJS.ErrnoException).code
  const gone = code === 'EPIPE' || code === 'ECONNRESET'
  const what = gone ? 'the other end is gone' : code === 'EBADF' ? 'it is closed' : cause.message
  return new WatError('offline', `cannot write: ${what}`, {
    cause,
    data: code === undefined ? undefined : { code },
  })
}

/** More waits to be written than may wait. */
export function overloaded(bytes: number): WatError {
  return new WatError('overloaded', `${bytes} bytes wait to be sent; await what send returns`)
}

/** The program has said itself that no more will come. */
export function ended(): WatError {
  return new WatError('offline', 'the sender has ended')
}

/** So many requests wait that nobody handles yet. */
export function tooManyRequests(bytes: number): WatError {
  return new WatError('overloaded', `${bytes} bytes of requests wait for a program that does not serve yet`)
}
