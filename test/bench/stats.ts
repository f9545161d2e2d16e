import type { Target } from './figure.ts'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** The ratio of the medians. Rounds are interleaved, so a busy machine slows both alike. */
export function ratio(ours: readonly number[], peer: readonly number[]): number {
  return median(ours) / median(peer)
}

export function meets(target: Target, value: number): boolean {
  return target.bound === 'at least' ? value >= target.ratio : value <= target.ratio
}
