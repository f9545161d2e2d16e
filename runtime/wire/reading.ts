import type { Answers } from './answers.ts'
import type { Calls } from './calls.ts'
import {
  BASIC_PROTOCOL,
  CALL_WINDOW_BYTES,
  HIGH_WATER_BYTES,
  MAX_QUEUED_BYTES,
  VALUE_WINDOW_BYTES,
} from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { PeerOptions } from './peer-options.ts'
import type { Receiver } from './receiver.ts'

/** What one side lets the other send before anything of it is begun or taken. */
const CREDIT_BYTES = CALL_WINDOW_BYTES + VALUE_WINDOW_BYTES

/** They have come already: to take them changes what is held by little. */
const FRAMES_AT_ONCE = 32

interface Load {
  readonly answers: Answers
  readonly calls: Calls
  readonly incoming: Receiver<unknown>
  readonly outbox: Outbox
  /** What has come and is neither begun nor taken, in bytes. */
  readonly held: number
}

/**
 * How many frames a side of a link takes before it is to be asked again; 0: it does not read on.
 *
 * Two wat-vms keep within the credit they have of each other, which each reference has besides what serves, so what
 * comes is read at once, and nothing holds up the replies behind it. A side that sends more than that, or knows no credit, is held back by its pipe:
 *
 * Who serves reads as far as there is room for what comes and for the answers. Otherwise plain values are read
 * while somebody waits for one, and a little ahead, so that a stop is seen. More is taken, up to the size of
 * one frame, while replies may stand behind them, while the other side is ending, and while it takes nothing
 * itself: two that both send before they read would wait for each other for ever.
 */
export function framesWanted(load: Load, protocol: number, options: PeerOptions): number {
  if (protocol > BASIC_PROTOCOL && load.held < HIGH_WATER_BYTES) return FRAMES_AT_ONCE
  return readsOn(load, protocol, options) ? 1 : 0
}

function readsOn(
  { answers, calls, incoming, outbox, held }: Load,
  protocol: number,
  { maxFrame, hurried }: PeerOptions,
): boolean {
  if (protocol > BASIC_PROTOCOL && !answers.overfull && held < MAX_QUEUED_BYTES) {
    if (held - answers.waitingForRefs < CREDIT_BYTES + maxFrame) return true
  }
  if (answers.serving) return answers.wanted && !outbox.full
  if (incoming.wanted) return true
  const more = calls.pending > 0 || outbox.full || hurried?.() === true
  return held < (more ? maxFrame : HIGH_WATER_BYTES)
}
