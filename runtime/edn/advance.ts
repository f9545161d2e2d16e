import { scan } from './scan.ts'
import { SKIP_TAG, SKIP_TOP } from './frames.ts'
import { IN_SKIPPED_ATOM, IN_SKIPPED_TAG } from './modes.ts'
import { MAX_HELD_WHILE_SKIPPING_UNITS, type ReaderState } from './state.ts'

/** Reads the next top-level value into `state.value`, from as many texts as it takes. False: there is none yet. */
export function advance(state: ReaderState): boolean {
  do {
    while (!state.spent || state.source.load()) {
      if (state.spent) state.textStarts()
      if (scan(state)) return true
      state.spent = true
      state.textSpent()
    }
  } while (gathers(state))
  waitOrEnd(state)
  return false
}

/** An atom that is not kept is looked at once more, as far as it has come: what it is decides what follows it. */
function gathers(state: ReaderState): boolean {
  const long = state.kinds[0] === SKIP_TOP && state.source.waiting > MAX_HELD_WHILE_SKIPPING_UNITS
  if (!long || !state.source.gather()) return false
  state.textStarts()
  return true
}

/** No text is left: is that all right? */
function waitOrEnd(state: ReaderState): void {
  const { source } = state
  if (state.inForm) state.checkCap()
  if (state.kinds[0] === SKIP_TOP && source.waiting > MAX_HELD_WHILE_SKIPPING_UNITS) {
    const isTag =
      source.text.charCodeAt(source.pos) === HASH && source.text.charCodeAt(source.pos + 1) !== HASH
    source.drop()
    state.mode = isTag ? IN_SKIPPED_TAG : IN_SKIPPED_ATOM
    if (isTag) state.kinds[++state.depth] = SKIP_TAG // its value is still to come, and to be skipped
  }
  if (source.last && state.inForm)
    state.fail('the input ends inside a form', source.text.length, source.text.length, true)
}

const HASH = 35
