import { scan } from './scan.ts'
import { SKIP_TOP } from './frames.ts'
import { MAX_HELD_WHILE_SKIPPING_UNITS, type ReaderState } from './state.ts'

/** Reads the next top-level value into `state.value`, from as many texts as it takes. False: there is none yet. */
export function advance(state: ReaderState): boolean {
  do {
    while (!state.spent || state.source.load()) {
      state.spent = false
      if (scan(state)) return true
      state.spent = true
      state.textSpent()
    }
  } while (gathers(state))
  state.waitOrEnd()
  return false
}

/** An atom that is not kept is looked at once more, as far as it has come: what it is decides what follows it. */
function gathers(state: ReaderState): boolean {
  const long = state.kinds[0] === SKIP_TOP && state.source.waiting > MAX_HELD_WHILE_SKIPPING_UNITS
  if (!long || !state.source.gather()) return false
  state.spent = false
  return true
}
