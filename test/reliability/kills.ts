// Grows trees, kills one process after another in them, in every way and at every level, and counts who
// survives: node test/reliability/kills.ts [--kills 300] [--seed 1] [--jobs 3] [--no-ps] [--load]
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { stringify } from '../../runtime/edn/index.ts'
import { alive, state, until } from '../support/proc.ts'
import { at, pidsOf, Tree, zombiesOf, type Census } from './forest.ts'
import { Random } from './random.ts'

const STOP_GRACE_MS = 1000
const DEPTH = 3
const WIDTH = 2

const leafKinds = ['idle', 'idle', 'hang', 'stuck', 'stuckInChild', 'deaf', 'holder', 'spawner'] as const
const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const
const deaths = ['throw', 'reject', 'exit', 'abort', 'oom'] as const
const moments = ['idle', 'mid-call'] as const

export interface Kill {
  seed: number
  address: number[]
  how: string
  moment: string
  leaves: Record<string, string>
}

export interface Result {
  kill: Kill
  /** What should be gone and is not, what should live and does not, what is a zombie. */
  failures: string[]
  msToLastDeath: number
}

/** Grows one tree and kills in it from a leaf up to the root. */
export async function fell(
  seed: number,
  env: NodeJS.ProcessEnv,
  onResult: (result: Result) => void,
): Promise<void> {
  const random = new Random(seed)
  const tree = new Tree(DEPTH, WIDTH, STOP_GRACE_MS, env)
  try {
    const victims = plan(random)
    const leaves = await misbehave(tree, random)
    for (const address of victims) {
      const moment = random.pick(moments)
      if (moment === 'mid-call') tree.send({ op: 'hang', at: address })
      const kind = leaves[address.join('.')]
      const unresponsive = kind === 'stuck' || kind === 'stuckInChild'
      const how = unresponsive ? 'SIGKILL' : random.pick(random.below(2) ? signals : deaths)
      onResult(await killOne(tree, { seed, address, how, moment, leaves }))
    }
  } finally {
    tree.destroy()
  }
}

/** One leaf, its aunt's side, a middle one, one below the root, the root: what was above stays alive. */
function plan(random: Random): number[][] {
  const turn = () => random.below(WIDTH)
  const a = turn()
  const b = turn()
  return [[a, b, turn()], [a, 1 - b, turn()], [a, b], [1 - a], []]
}

async function misbehave(tree: Tree, random: Random): Promise<Record<string, string>> {
  await knownPids(tree) // while everybody still answers
  const leaves: Record<string, string> = {}
  for (let n = 0; n < WIDTH ** DEPTH; n++) {
    const address = [n >> 2, (n >> 1) & 1, n & 1]
    const kind = random.pick(leafKinds)
    leaves[address.join('.')] = kind
    if (kind === 'hang') tree.send({ op: 'hang', at: address })
    else await tree.order({ op: 'misbehave', at: address, how: kind })
  }
  return leaves
}

async function killOne(tree: Tree, kill: Kill): Promise<Result> {
  const failures: string[] = []
  const before = await knownPids(tree)
  const victim = at(before, kill.address)
  if (!victim) return { kill, failures: ['the victim was gone before it was killed'], msToLastDeath: 0 }
  const doomed = tree.inGroupsOf(pidsOf(victim))
  if (kill.address.length === 0) doomed.push(victim.pid)
  const beside = pidsOf(before).filter(pid => !pidsOf(victim).includes(pid) && alive(pid))

  if (kill.how.startsWith('SIG')) process.kill(victim.pid, kill.how)
  else tree.send({ op: 'die', at: kill.address, how: kill.how })
  // Running out of memory takes a while; the time that counts begins with the death.
  if (!kill.how.startsWith('SIG')) {
    await until(
      () => !alive(victim.pid),
      20_000,
      () => '',
    ).catch(() => failures.push('the victim did not die'))
  }
  const started = performance.now()
  const groups = pidsOf(victim)
  const left = () => [...new Set([...doomed, ...tree.inGroupsOf(groups)])].filter(alive)
  await until(
    () => left().length === 0,
    STOP_GRACE_MS + 1000,
    () => '',
  ).catch(() => {})
  const msToLastDeath = performance.now() - started
  const survivors = left()
  if (survivors.length > 0)
    failures.push(`survivors: ${survivors.map(pid => `${pid} ${state(pid)}`).join(', ')}`)

  const dead = beside.filter(pid => !alive(pid))
  if (dead.length > 0) failures.push(`died beside it: ${dead.join(' ')}`)
  const zombies = zombiesOf(beside)
  if (zombies.length > 0) failures.push(`zombies: ${zombies.join(' ')}`)
  if (kill.address.length > 0 && (await tree.order({ op: 'census' })) === undefined)
    failures.push('the root no longer answers')
  return { kill, failures, msToLastDeath }
}

/** The census of the tree when all of it answered, without those that have died since. */
async function knownPids(tree: Tree): Promise<Census> {
  const known = grown.get(tree) ?? (await tree.census())
  grown.set(tree, known)
  return known
}

const grown = new WeakMap<Tree, Census>()

if (import.meta.main ?? process.argv[1] === import.meta.filename) await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '300' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      jobs: { type: 'string', default: '3' },
      'no-ps': { type: 'boolean', default: false },
      load: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  })
  const wanted = Number(values.kills)
  const bare = values['no-ps'] ? barePath() : undefined
  const hogs = values.load ? os.cpus().map(() => new Worker('for(;;){}', { eval: true })) : []
  const results: Result[] = []
  let seed = Number(values.seed)
  const job = async () => {
    while (results.length < wanted) {
      await fell(seed++, bare ? { PATH: bare } : {}, result => {
        results.push(result)
        if (values.verbose || result.failures.length > 0)
          console.log(
            stringify({ ...result.kill, failures: result.failures, ms: Math.round(result.msToLastDeath) }),
          )
      })
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, job))
  for (const hog of hogs) void hog.terminate()
  if (bare) rmSync(bare, { recursive: true })
  report(results, Number(values.seed))
}

function report(results: Result[], seed: number): void {
  const times = results.map(result => result.msToLastDeath).sort((a, b) => a - b)
  const survivors = results.filter(result =>
    result.failures.some(text => text.startsWith('survivors')),
  ).length
  const failed = results.filter(result => result.failures.length > 0).length
  console.log(`seed ${seed}: ${results.length} kills, ${survivors} with survivors, ${failed} failed`)
  console.log(
    `time to the last death: median ${quantile(times, 0.5)} ms, worst ${quantile(times, 1)} ms (stopGrace ${STOP_GRACE_MS} ms)`,
  )
  process.exitCode = failed > 0 ? 1 : 0
}

function quantile(sorted: number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

/** A PATH with a shell and Node and little more: no ps, no setpriv. */
function barePath(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'wat-bare-'))
  symlinkSync(process.execPath, path.join(folder, 'node'))
  for (const name of ['sh', 'sleep', 'readlink'])
    symlinkSync(path.join('/bin', name), path.join(folder, name))
  return folder
}
