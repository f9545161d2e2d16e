// What the text before ended in, other than an atom, which is carried over.
export const READY = 0
export const IN_STRING = 1
export const IN_COMMENT = 2
export const IN_SKIPPED_ATOM = 3
export const TO_NEXT_LINE = 4

/** As a skipped atom, but its value is still to come. */
export const IN_SKIPPED_TAG = 5
