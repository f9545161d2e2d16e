/**
 * What the reader is inside of. A frame per open container, tag and discard; below them the top level. From
 * DISCARD on nothing is built: what is read there is only checked, and no tag reader runs.
 */
export const TOP = 0
export const IN_VECTOR = 1
export const IN_LIST = 2
export const IN_SET = 3
export const FIELD_NAME = 4 // in a map whose keys so far are all keywords, and not many, before a key
export const FIELD_VALUE = 5
export const OBJECT_KEY = 6 // the same with many keys
export const OBJECT_VALUE = 7
export const MAP_KEY = 8
export const MAP_VALUE = 9
export const TAG = 10
export const DISCARD = 11
export const SKIP_TOP = 12
export const SKIP_VECTOR = 13
export const SKIP_LIST = 14
export const SKIP_SET = 15
export const SKIP_KEY = 16
export const SKIP_VALUE = 17
export const SKIP_TAG = 18

/** What goes on in its place when a form is read on without being built. */
export const SKIPPED = [
  SKIP_TOP,
  SKIP_VECTOR,
  SKIP_LIST,
  SKIP_SET,
  SKIP_KEY,
  SKIP_VALUE,
  SKIP_KEY,
  SKIP_VALUE,
  SKIP_KEY,
  SKIP_VALUE,
  SKIP_TAG,
  DISCARD,
  SKIP_TOP,
  SKIP_VECTOR,
  SKIP_LIST,
  SKIP_SET,
  SKIP_KEY,
  SKIP_VALUE,
  SKIP_TAG,
]

/** The unit that closes the frame; 0 where none may. */
export const CLOSER = new Uint8Array(19)
CLOSER[IN_VECTOR] = CLOSER[SKIP_VECTOR] = 93
CLOSER[IN_LIST] = CLOSER[SKIP_LIST] = 41
CLOSER[IN_SET] = CLOSER[SKIP_SET] = CLOSER[SKIP_KEY] = 125
CLOSER[FIELD_NAME] = CLOSER[OBJECT_KEY] = CLOSER[MAP_KEY] = 125

/** Why a closing unit does not fit the frame. */
export function misfit(kind: number, unit: number): string {
  const found = String.fromCharCode(unit)
  if (kind === TOP || kind === SKIP_TOP) return `unmatched ${found}`
  if (kind === TAG || kind === SKIP_TAG) return `a tag without a value before ${found}`
  if (kind === DISCARD) return `nothing to discard before ${found}`
  if (CLOSER[kind] === 0) return unit === 125 ? 'a map key without a value' : `unmatched ${found}`
  return `expected ${String.fromCharCode(CLOSER[kind]!)} but found ${found}`
}
