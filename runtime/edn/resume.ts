import { atomEnd } from './names.ts'
import { DISCARD } from './frames.ts'
import { IN_SKIPPED_ATOM, IN_SKIPPED_TAG, IN_STRING, READY } from './modes.ts'
import type { ReaderState } from './state.ts'
import { CLOSED, MORE } from './strings.ts'

/** Goes on with what the text before ended in. True: a string is complete, in `value`. */
export function resume(state: ReaderState, end: number): boolean {
  const { source, mode } = state
  const { text, pos } = source
  if (mode === IN_STRING) {
    const stop = state.string.scan(source, pos, pos, end, state.kinds[state.depth]! < DISCARD)
    source.pos = state.string.at
    if (stop === MORE) return false
    if (stop !== CLOSED) state.fail(state.string.problem, source.pos, source.pos)
    state.value = state.string.take()
  } else if (mode === IN_SKIPPED_ATOM || mode === IN_SKIPPED_TAG) {
    source.pos = atomEnd(text, pos, end)
    if (source.pos === end && state.open(end)) return false
    state.value = undefined
  } else {
    const lf = text.indexOf('\n', pos)
    source.pos = lf === -1 || lf >= end ? end : lf + 1
    if (lf === -1 || lf >= end) return false
  }
  state.mode = READY
  return mode === IN_STRING || mode === IN_SKIPPED_ATOM
}
