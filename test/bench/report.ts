import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import type { Check, Comparison, Figure, Outcome } from './figure.ts'
import { median, meets, ratio } from './stats.ts'

/** A comparison with its numbers. */
export interface Line extends Comparison {
  oursMedian: number
  peerMedian: number
  ratio: number
  /** `undefined` where there is no target. */
  met?: boolean
}

/** A figure as it was measured; what `--json` writes. */
export interface Report {
  name: string
  title: string
  unit: string
  lines: Line[]
  checks: Check[]
  notes: string[]
  samples: Record<string, number[]>
  /** Load averages over one minute before and after. */
  load: [number, number]
  unavailable?: string
  failed?: string
}

export function reportOf(figure: Figure, outcome: Outcome, load: [number, number]): Report {
  const { samples, comparisons, checks = [], notes = [] } = outcome
  const lines = comparisons.map(comparison => {
    const [ours = [], peer = []] = [samples[comparison.ours], samples[comparison.peer]]
    const share = ratio(ours, peer)
    const met = comparison.target && meets(comparison.target, share)
    return { ...comparison, oursMedian: median(ours), peerMedian: median(peer), ratio: share, met }
  })
  const { name, title, unit } = figure
  return { name, title, unit, lines, checks, notes, samples, load }
}

/** A figure that could not be measured, and why. */
export function blank({ name, title, unit }: Figure, why: Pick<Report, 'unavailable' | 'failed'>): Report {
  return { name, title, unit, lines: [], checks: [], notes: [], samples: {}, load: [load(), load()], ...why }
}

export function machine() {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 1024 ** 2),
    system: `${process.platform} ${release()}`,
  }
}

export function load(): number {
  return loadavg()[0] ?? NaN
}
