/** How long and how often to measure. */
export interface Settings {
  /** Rounds whose medians count; one more, for warming up, goes before them and is dropped. */
  rounds: number
  /** What one contender's part of a round should take. */
  sliceMs: number
  /** Small trees, short chains and streams, few starts: shows that the suite works, measures nothing. */
  quick: boolean
}

/** What a ratio, ours by the peer's, must reach. */
export interface Target {
  bound: 'at least' | 'at most'
  ratio: number
}

/** One line of the table: two contenders of a figure, by name. */
export interface Comparison {
  ours: string
  peer: string
  target?: Target
}

/** Something a figure asks for that is no ratio. */
export interface Check {
  what: string
  met: boolean
}

export type Samples = Record<string, number[]>

export interface Outcome {
  samples: Samples
  comparisons: Comparison[]
  checks?: Check[]
  notes?: string[]
}

export interface Figure {
  /** What `--only` takes. */
  name: string
  title: string
  unit: '/s' | 'ns' | 'µs' | 'ms' | 'MiB' | 'MB/s'
  /** Why it cannot be measured; `undefined` when it can. */
  unavailable?: () => string | undefined
  measure(settings: Settings): Promise<Outcome>
}

export const OURS = 'wat'

export function atLeast(ratio: number): Target {
  return { bound: 'at least', ratio }
}

export function atMost(ratio: number): Target {
  return { bound: 'at most', ratio }
}

/** Ours against everybody else who was measured, with the targets there are. */
export function against(samples: Samples, targets: Record<string, Target>, ours = OURS): Comparison[] {
  return Object.keys(samples)
    .filter(name => name !== ours)
    .map(peer => ({ ours, peer, target: targets[peer] }))
}
