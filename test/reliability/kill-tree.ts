import { setTimeout as delay } from 'node:timers/promises'
import { alive, describe, until, type ProcessInfo } from '../support/proc.ts'
import { isBelow, split, Tree, zombiesOf } from './tree.ts'
import { bringAbout, carryOut } from './moments.ts'
import { DEPTH, plan, unresponsive, WIDTH, type Address, type Kill, type Plan } from './plan.ts'

export const STOP_GRACE_MS = 1000

/** What is below a victim is gone within its grace and this. */
const LIMIT_MS = STOP_GRACE_MS + 1000

/** Running out of memory takes a while, and so do last words of megabytes. */
const DEATH_MS = 20_000

export interface Result {
  kill: Kill
  /** What should be gone and is not, what should live and does not, who does not answer, what is a zombie. */
  failures: string[]
  survivors: number
  msToLastDeath: number
}

/** Grows the tree of a seed and kills in it from a leaf up to the root. */
export async function killTree(
  seed: number,
  env: NodeJS.ProcessEnv,
  onResult: (result: Result) => void,
): Promise<void> {
  const settled = plan(seed)
  const [inSmallTree, ...inTree] = settled.kills
  const smallTree = new Tree(2, WIDTH, STOP_GRACE_MS, env)
  try {
    onResult(await killOne(smallTree, inSmallTree!, settled.leaves))
  } finally {
    smallTree.destroy()
  }
  const tree = new Tree(DEPTH, WIDTH, STOP_GRACE_MS, env)
  try {
    await grow(tree, settled)
    for (const kill of inTree) onResult(await killOne(tree, kill, settled.leaves))
  } finally {
    tree.destroy()
  }
}

async function grow(tree: Tree, { leaves }: Plan): Promise<void> {
  await tree.meet(addresses(DEPTH))
  for (const [name, kind] of Object.entries(leaves)) {
    const address = name.split(',')
    if (kind === 'hang') tree.send({ op: 'hang', at: address })
    else await tree.order({ op: 'misbehave', at: address, how: kind })
  }
}

function addresses(depth: number): Address[] {
  if (depth === 0) return [[]]
  const names = Array.from({ length: WIDTH }, (_, n) => String(n))
  const below = addresses(depth - 1)
  return [[], ...names.flatMap(name => below.map(address => [name, ...address]))]
}

async function killOne(tree: Tree, kill: Kill, leaves: Record<string, string>): Promise<Result> {
  const failures: string[] = []
  const result = { kill, failures, survivors: 0, msToLastDeath: 0 }
  const spared = kill.doomed.length > 0 ? tree.beside(kill.doomed) : []
  try {
    const pid = await bringAbout(tree, kill)
    carryOut(tree, kill, pid)
    // The time that counts begins with the death.
    if (!kill.how.startsWith('SIG')) await dead(pid)
  } catch (error) {
    // In the course of a stop it may have gone by itself.
    if (kill.moment !== 'while stopping' || !isGone(error)) failures.push(String(error))
  }

  const { survivors, ms } = await lastDeath(tree, kill.doomed)
  result.survivors = survivors.length
  result.msToLastDeath = ms
  if (survivors.length > 0) failures.push(`survivors: ${describe(survivors.map(({ pid }) => pid))}`)

  const died = spared.filter(({ pid }) => !alive(pid))
  if (died.length > 0) failures.push(`died beside it: ${died.map(({ command }) => command).join('; ')}`)
  for (const [name] of tree.nodes) if (isBelow(split(name), kill.doomed)) tree.nodes.delete(name)
  failures.push(...(await unanswered(tree, leaves)))
  const zombies = () => zombiesOf([...tree.nodes.values()])
  await until(
    () => zombies().length === 0,
    500,
    () => `zombies: ${describe(zombies())}`,
  ).catch(error => failures.push(String(error)))
  // What they said last may tell why.
  if (failures.length > 0) failures.push(tree.root.stderr.text.slice(-2000))
  return result
}

/** Nobody who is left is too busy to answer, except those that answer nobody. */
async function unanswered(tree: Tree, leaves: Record<string, string>): Promise<string[]> {
  const asked = [...tree.nodes].filter(([name]) => !unresponsive(leaves[name]))
  const answers = await Promise.all(asked.map(([name]) => tree.order({ op: 'ping', at: split(name) })))
  return asked.flatMap(([name, pid], n) =>
    answers[n] === pid ? [] : [`/${name.replaceAll(',', '/')} ${said(answers[n])}`],
  )
}

/** What is wrong with its references, if it answers at all. */
function said(answer: unknown): string {
  return answer === undefined ? 'does not answer' : `says: ${JSON.stringify(answer)}`
}

/** Looks until everything is gone, and then once more for whoever was born meanwhile. */
async function lastDeath(tree: Tree, doomed: Address): Promise<{ survivors: ProcessInfo[]; ms: number }> {
  const started = performance.now()
  let ms = 0
  let known = tree.below(doomed)
  for (let empty = 0; empty < 2;) {
    if (known.length > 0) {
      empty = 0
      ms = performance.now() - started
      if (ms > LIMIT_MS) break
      await delay(10)
      known = known.filter(({ pid }) => alive(pid))
    } else {
      if (empty++ > 0) await delay(20)
      known = tree.below(doomed)
    }
  }
  return { survivors: known.length > 0 ? tree.below(doomed) : [], ms }
}

async function dead(pid: number): Promise<void> {
  await until(
    () => !alive(pid),
    DEATH_MS,
    () => 'the victim does not die',
  )
}

function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ESRCH'
}
