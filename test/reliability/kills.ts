// Grows trees, kills one process after another in them, in every way, at every level and moment, and
// counts who survives, while references of all run across (gossip.ts):
// node test/reliability/kills.ts [--kills 300 | --trees 1] [--seed 1] [--jobs 2] [--no-ps] [--spares] [--load] [--verbose]
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { stringify } from '../../runtime/edn/index.ts'
import { killTree, STOP_GRACE_MS, type Result } from './kill-tree.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    trees: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    jobs: { type: 'string', default: '2' },
    'no-ps': { type: 'boolean', default: false },
    spares: { type: 'boolean', default: false },
    load: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const flags = (['no-ps', 'spares', 'load'] as const).filter(name => values[name]).map(name => ` --${name}`)
const results: Result[] = []
let broken = 0
let next = Number(values.seed)
const end = values.trees === undefined ? Infinity : next + Number(values.trees)

const bare = values['no-ps'] ? barePath() : undefined
const env = { ...(bare && { PATH: bare }), ...(values.spares && { WAT_TEST_SPARES: '1' }) }
const hogs = values.load ? os.cpus().map(() => new Worker('for(;;){}', { eval: true })) : []
await Promise.all(Array.from({ length: Number(values.jobs) }, job))
await Promise.all(hogs.map(hog => hog.terminate()))
if (bare) rmSync(bare, { recursive: true })
report()

/** Each tree has a seed of its own, counted up from the first. */
async function job(): Promise<void> {
  while (next < end && (values.trees !== undefined || results.length < Number(values.kills))) {
    const seed = next++
    await killTree(seed, env, note).catch(error => {
      broken++
      console.log(`tree ${seed}: ${error.stack}\n${replay(seed)}`)
    })
  }
}

function note(result: Result): void {
  results.push(result)
  const { kill, failures, msToLastDeath } = result
  if (failures.length === 0 && !values.verbose) return
  console.log(stringify({ ...kill, failures, lastDeathMs: Math.round(msToLastDeath) }))
  if (failures.length > 0) console.log(replay(kill.seed))
}

function replay(seed: number): string {
  return `replay: npm run --silent kills -- --trees 1 --jobs 1 --seed ${seed} --verbose${flags.join('')}`
}

function report(): void {
  const times = results.map(result => result.msToLastDeath).sort((a, b) => a - b)
  const survivors = results.filter(result => result.survivors > 0).length
  const failed = results.filter(result => result.failures.length > 0).length + broken
  console.log(
    `seed ${values.seed}${flags.join('')}: ${results.length} kills, ${survivors} with survivors, ${failed} failed, ${Math.round(performance.now() / 1000)} s`,
  )
  console.log(
    `time to the last death: median ${quantile(times, 0.5)} ms, worst ${quantile(times, 1)} ms (stopGrace ${STOP_GRACE_MS} ms)`,
  )
  for (const [moment, list] of Map.groupBy(results, ({ kill }) => kill.moment)) {
    const worst = Math.max(...list.map(({ msToLastDeath }) => msToLastDeath))
    console.log(`  ${moment}: ${list.length} kills, worst ${Math.round(worst)} ms`)
  }
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
