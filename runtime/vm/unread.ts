import { HIGH_WATER_BYTES } from '../wire/limits.ts'
import type { Receiver } from '../wire/receiver.ts'
import { Standstill } from '../wire/standstill.ts'
import { identity } from './identity.ts'
import { log } from './log.ts'

/**
 * Says so when plain values for which nobody will come hold up what a parent sends behind them. `idle` tells whether the
 * top level has settled and nothing serves: a program that has not looked at its input by then does not begin to.
 * Who feeds a root has no calls that could wait.
 */
export function watchUnread(stdin: Receiver, idle: () => boolean): Standstill {
  const stands = () => idle() && stdin.taken === 0 && !stdin.wanted && stdin.bytes >= HIGH_WATER_BYTES
  return new Standstill(
    () => (identity.role === 'child' && stands() ? stdin.bytes : undefined),
    () =>
      log.warn('plain values that nobody reads hold up what comes behind them: read stdin, or close() it', {
        bytes: stdin.bytes,
      }),
  )
}
