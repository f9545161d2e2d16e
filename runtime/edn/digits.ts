/**
 * A number has at most so many digits: from there on to convert one costs much more than its text does to read,
 * and a writer would write what no reader takes.
 */
export const MAX_NUMBER_DIGITS = 10_000
/** The same for either side of a ratio, which is brought to its lowest terms besides. */
export const MAX_RATIO_DIGITS = 1_000

/** Whether the bigint has more digits than `digits`. Written out it would take longer than it takes to tell. */
export function isOver(value: bigint, digits: typeof MAX_NUMBER_DIGITS | typeof MAX_RATIO_DIGITS): boolean {
  if (BigInt.asIntN(64, value) === value) return false
  const bound = (bounds[digits] ??= 10n ** BigInt(digits))
  return value >= bound || value <= -bound
}

const bounds: Partial<Record<number, bigint>> = {}

/** The text of a decimal without its `M`, and of a float. As in all of EDN, no digit stands behind a first zero. */
export const FLOAT = /^[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?$/
