import { scan } from './scan.ts'
import type { ReaderState } from './state.ts'

/** Reads the next top-level value into `state.value`, from as many texts as it takes. False: there is none yet. */
export function advance(state: ReaderState): boolean {
  while (!state.spent || state.source.load()) {
    state.spent = false
    if (scan(state)) return true
    state.spent = true
    state.textSpent()
  }
  state.waitOrEnd()
  return false
}
