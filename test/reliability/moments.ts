import { readFileSync } from 'node:fs'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { alive, until } from '../support/proc.ts'
import type { Tree } from './tree.ts'
import type { Address, Kill, Moment } from './plan.ts'

/** A new process is seen within this time, or something is wrong. */
const SPAWN_MS = 10_000

/** Brings about the moment of a kill; resolves with the victim's pid when it has come. */
export async function bringAbout(tree: Tree, kill: Kill): Promise<number> {
  const pid = await moments[kill.moment](tree, kill)
  if (pid === undefined) throw new Error('there is no such victim')
  return pid
}

/** Carries out the kill. Throws when the victim is gone already. */
export function carryOut(tree: Tree, { victim, moment, how, ms }: Kill, pid: number): void {
  if (moment === 'spawning') tree.send({ op: 'sprout', at: victim, name: 'sprout', how, ms })
  else if (how.startsWith('SIG')) process.kill(pid, how)
  else tree.send({ op: 'die', at: victim, how })
}

type Preparation = (tree: Tree, kill: Kill) => Promise<number | undefined>

const moments: Record<Moment, Preparation> = {
  idle: async (tree, { victim }) => pidOf(tree, victim),

  async 'mid-call'(tree, { victim }) {
    tree.send({ op: 'hang', at: victim })
    await delay(20)
    return pidOf(tree, victim)
  },

  /** Megabytes wait in full pipes, its own or those of the one above it. */
  async 'mid-write'(tree, { victim, detail, ms }) {
    if (detail === 'in') stuff(tree, victim)
    else flood(tree, victim, ms)
    await delay(ms)
    return pidOf(tree, victim)
  },

  /** A stuck leaf below makes the stop take its time. */
  async 'while stopping'(tree, { victim, doomed, detail = '', ms }) {
    if (detail === 'stop') tree.send({ op: 'stop', at: doomed.slice(0, -1), name: doomed.at(-1)! })
    else process.kill(pidOf(tree, doomed)!, detail)
    await delay(ms)
    return pidOf(tree, victim)
  },

  /** A child of the victim has died: it is a zombie, or just reaped, its last words perhaps not yet read. */
  async 'right after exit'(tree, { victim, detail = '', ms }) {
    const born = newChild(tree, victim)
    const ready = tree.order({ op: 'sprout', at: victim, name: 'short' }, SPAWN_MS)
    const child = await born
    await ready
    if (detail === 'SIGKILL') process.kill(child, detail)
    else tree.send({ op: 'die', at: [...victim, 'short'], how: detail })
    await until(
      () => !alive(child),
      SPAWN_MS,
      () => 'the child does not exit',
    )
    await delay(ms)
    return pidOf(tree, victim)
  },

  'before boot': spawned,
  'at boot': spawned,

  'child before boot': spawning,
  'child at boot': spawning,

  /** It spawns and dies by its own hand. */
  spawning: async (tree, { victim }) => pidOf(tree, victim),

  /** Everywhere in the tree somebody is at some point of its boot. */
  async growing(tree, { ms }) {
    await delay(ms)
    return tree.root.pid
  },
}

/** The victim is the new process. */
async function spawned(tree: Tree, { victim, ms }: Kill): Promise<number> {
  const parent = victim.slice(0, -1)
  const born = newChild(tree, parent)
  tree.send({ op: 'sprout', at: parent, name: victim.at(-1)!, depth: 1 })
  const pid = await born
  if (ms > 0) await delay(ms)
  return pid
}

/** The victim is the parent of the new process. */
async function spawning(tree: Tree, { victim, ms }: Kill): Promise<number | undefined> {
  const born = newChild(tree, victim)
  tree.send({ op: 'sprout', at: victim, name: 'sprout', depth: 1 })
  await born
  if (ms > 0) await delay(ms)
  return pidOf(tree, victim)
}

/** The next process that the node at an address starts, in its first millisecond. */
async function newChild(tree: Tree, parent: Address): Promise<number> {
  const pid = pidOf(tree, parent)!
  const before = childPids(pid)
  const deadline = performance.now() + SPAWN_MS
  while (performance.now() < deadline) {
    const found = childPids(pid).find(child => !before.includes(child))
    if (found !== undefined) return found
    await turn()
  }
  throw new Error(`${parent.join('/')} has started nobody`)
}

function childPids(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

function pidOf(tree: Tree, address: Address): number | undefined {
  return tree.nodes.get(address.join())
}

function stuff(tree: Tree, victim: Address): void {
  if (victim.length > 0) return tree.send({ op: 'stuff', at: victim })
  for (let n = 0; n < 4; n++) tree.send({ op: 'hang', ballast: 'x'.repeat(1_000_000) })
}

/** The parent of the root is this process: it stops reading for a while. */
function flood(tree: Tree, victim: Address, ms: number): void {
  tree.send({ op: 'flood', at: victim })
  if (victim.length > 0) return
  tree.root.pauseReading()
  setTimeout(() => tree.root.resumeReading(), ms + 300)
}
