import { Random } from './random.ts'

/** Names of children from the root down; none for the root. */
export type Address = readonly string[]

export type Moment = (typeof moments)[number] | (typeof bootMoments)[number] | 'growing'

/** Everything about a kill is settled before its tree grows, so that its seed replays it. */
export interface Kill {
  seed: number
  victim: Address
  moment: Moment
  /** A signal from outside, or what the victim does to itself. */
  how: string
  /** How far into the moment. */
  ms: number
  /** What has to be gone afterwards: the victim, or the one above it that has been asked to stop. */
  doomed: Address
  /** How that one was asked to stop, how the child exited, which way the writes went. */
  detail?: string
}

export interface Plan {
  seed: number
  /** How each leaf behaves, by its address. */
  leaves: Record<string, string>
  kills: Kill[]
}

export const WIDTH = 2
export const DEPTH = 3

const leafKinds = ['idle', 'idle', 'hang', 'stuck', 'stuckInChild', 'deaf', 'holder', 'spawner'] as const
const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const
const deaths = ['throw', 'reject', 'exit', 'abort', 'oom'] as const
const quickDeaths = ['throw', 'reject', 'exit', 'abort', 'SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const
const moments = [
  'idle',
  'mid-call',
  'mid-write',
  'while stopping',
  'right after exit',
  'child before boot',
  'child at boot',
  'spawning',
] as const
const bootMoments = ['before boot', 'at boot'] as const

/** Those that answer nobody. */
export function unresponsive(kind: string | undefined): boolean {
  return kind === 'stuck' || kind === 'stuckInChild'
}

/**
 * The kills of one tree: a small tree while it grows, then new processes anywhere, then from the leaves
 * up to the root, so that what is above a victim lives on and has to answer.
 */
export function plan(seed: number): Plan {
  const random = new Random(seed)
  const leaves: Record<string, string> = {}
  for (const a of '01')
    for (const b of '01') for (const c of '01') leaves[[a, b, c].join()] = random.pick(leafKinds)
  const at = (name: string) => [name, turn(random)]

  const growing = { seed, victim: [], moment: 'growing', how: random.pick(signals), ms: random.below(500) }
  const kills: Kill[] = [{ ...growing, moment: 'growing', doomed: [] }]
  for (const parent of [[], [turn(random)], at('0'), at('1')])
    kills.push(killAtBoot(random, seed, [...parent, `new${kills.length}`]))

  const first = turn(random)
  const left = new Map<string, string>() // of the two children of each, the one that is not killed
  for (const a of '01') {
    for (const b of '01') {
      const c = turn(random)
      left.set([a, b].join(), other(c))
      kills.push(killGrown(random, seed, leaves, [[a, b, c]]))
    }
    const b = turn(random)
    left.set(a, other(b))
    kills.push(
      killGrown(random, seed, leaves, [
        [a, b],
        [a, b, left.get([a, b].join())!],
      ]),
    )
  }
  const down = (a: string): Address[] => {
    const b = left.get(a)!
    return [[a], [a, b], [a, b, left.get([a, b].join())!]]
  }
  kills.push(killGrown(random, seed, leaves, down(first)))
  kills.push(killGrown(random, seed, leaves, [[], ...down(other(first))]))
  return { seed, leaves, kills }
}

function killAtBoot(random: Random, seed: number, victim: Address): Kill {
  const moment = random.pick(bootMoments)
  const ms = random.below(moment === 'before boot' ? 4 : 60)
  return { seed, victim, doomed: victim, moment, how: random.pick(signals), ms }
}

/** `line` is the one that is to be gone, and what is left below it, down to a leaf. */
function killGrown(random: Random, seed: number, leaves: Record<string, string>, line: Address[]): Kill {
  const [doomed = [], leaf = []] = [line[0], line.at(-1)]
  const moment = random.pick(moments)
  const kill = { seed, victim: doomed, doomed, moment, ms: 0 }
  if (moment === 'while stopping') {
    leaves[leaf.join()] = 'stuck' // or it would be over at once
    const asked = doomed.length > 0 ? (['stop', 'stop', ...signals.slice(2)] as const) : signals.slice(2)
    // A signal alone does not end a stuck one; its parent does.
    const detail = doomed === leaf ? 'stop' : random.pick(asked)
    return { ...kill, victim: random.pick(line), how: random.pick(signals), ms: random.below(250), detail }
  }
  const isLeaf = doomed === leaf
  if (moment === 'mid-write') {
    const detail = random.pick(['out', 'in'])
    if (isLeaf && detail === 'out') leaves[leaf.join()] = 'idle'
    return { ...kill, how: howFor(random, leaves, doomed), ms: random.below(150), detail }
  }
  if (moment === 'idle' || moment === 'mid-call') return { ...kill, how: howFor(random, leaves, doomed) }
  if (isLeaf) leaves[leaf.join()] = 'idle'
  if (moment === 'right after exit') {
    const detail = random.pick(quickDeaths)
    return { ...kill, how: howFor(random, leaves, doomed), ms: random.below(20), detail }
  }
  // Below zero: in the same tick.
  if (moment === 'spawning') return { ...kill, how: random.pick(quickDeaths), ms: random.below(16) - 3 }
  return { ...kill, how: random.pick(signals), ms: random.below(moment === 'child at boot' ? 60 : 4) }
}

function howFor(random: Random, leaves: Record<string, string>, victim: Address): string {
  const how = random.pick(random.below(2) ? signals : deaths)
  const kind = leaves[victim.join()]
  return unresponsive(kind) || (kind === 'deaf' && how === 'SIGTERM') ? 'SIGKILL' : how
}

function turn(random: Random): string {
  return random.pick(['0', '1'])
}

function other(name: string): string {
  return name === '0' ? '1' : '0'
}
