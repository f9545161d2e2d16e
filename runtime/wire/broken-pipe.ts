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
