import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import type { Out } from '../edn/out.ts'
import type { LineWriter } from './frames.ts'

/** For messages. */
export const RAISE_MAX_FRAME = 'a spawn takes the option maxFrame, and wat --max-frame for a root'

/** While it writes, room is taken for more than it needs. */
const SLACK_BYTES = 64 * 1024

/** A larger frame is refused only when it is written, or when there is no room for it. */
const MAX_BOUND_BYTES = 2 ** 30

/**
 * Writes a line behind what is there. Throws what `write` throws, and `too-large`, as soon as that is known, for
 * one that the other side would refuse; then nothing is written.
 */
export function writeWithin(
  out: Out,
  write: LineWriter,
  id: number,
  body: unknown,
  maxFrame: number,
): number {
  const start = out.length
  const outerMost = out.most
  if (maxFrame < MAX_BOUND_BYTES) out.most = start + maxFrame + SLACK_BYTES
  try {
    write(out, id, body)
    fit(out.length - start, maxFrame)
  } catch (error) {
    out.length = start
    out.most = outerMost
    throw hugeForFrame(error, maxFrame)
  }
  out.most = outerMost
  return out.length - start
}

/** Throws `too-large` for a frame that the other side would refuse, and what making it throws. */
export function fitFrame(frame: () => string, maxFrame: number): void {
  try {
    fit(Buffer.byteLength(frame()), maxFrame)
  } catch (error) {
    throw hugeForFrame(error, maxFrame)
  }
}

/** Throws `too-large` for a line that the other side would refuse. */
export function fit(lineBytes: number, maxFrame: number): void {
  const bytes = lineBytes - 1 // the line feed is not part of the form
  if (bytes > maxFrame) throw overFrame(bytes, maxFrame)
}

/** The same for what has not even been written, because it is larger than anything can be. */
function hugeForFrame(error: unknown, maxFrame: number): unknown {
  if (maxFrame === Infinity || !(error instanceof WatError && error.code === 'too-large')) return error
  const { bytes, maxFrame: told } = error.data as { bytes: number; maxFrame?: number }
  if (told !== undefined) return error
  return overFrame(bytes, maxFrame, {}, ' or more')
}

/** The error for a form of so many bytes; `details` come into its data. */
export function overFrame(bytes: number, maxFrame: number, details = {}, more = ''): WatError {
  const message = `a form of ${bytes} bytes${more} is over maxFrame, ${maxFrame} bytes; ${RAISE_MAX_FRAME}`
  return new WatError('too-large', message, { data: { bytes, maxFrame, ...details } })
}
