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

/** Throws `too-large` for a line that the other side would refuse. */
export function fit(lineBytes: number, maxFrame: number): void {
  if (lineBytes - 1 <= maxFrame) return // the line feed is not part of the form
  throw new WatError('too-large', `the form is over maxFrame, ${maxFrame} bytes`, { data: { maxFrame } })
}
