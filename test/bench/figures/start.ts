import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as runtime from 'wat-vm'
import { startWat, WatProgram, wholeRunMs } from '../commands.ts'
import { against, atMost, OURS, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { interleave, type Contender } from '../rounds.ts'
import { median } from '../stats.ts'
import { bodyOf, plainBodyOf } from '../work.ts'

const EMPTY = 'empty program'
const ONCE_STARTED = 'once its child is started'

/** A start is short and scatters: so many make one round's sample. */
const STARTS_A_ROUND = 5

export const coldSpawn: Figure = {
  name: 'cold-spawn',
  title: 'cold spawn of a TypeScript program, start to first reply',
  unit: 'ms',
  async measure({ rounds, quick }) {
    const spawner = new WatProgram(program('wat-spawns.ts'))
    const contenders: Contender[] = [
      { name: OURS, sample: () => spawned() },
      {
        name: 'wat, spawned by a wat-vm',
        sample: () => spawner.ask<number>('cold'),
        close: () => spawner.end(),
      },
      { name: 'wat, from a shell', sample: fromShell },
      { name: EMPTY, sample: () => empty('empty.cjs') },
      { name: 'empty ES module', sample: () => empty('empty.mjs') },
      { name: 'fork json', sample: forked },
    ]
    const samples = await starts(contenders, rounds, quick)
    const targets = { [EMPTY]: atMost(1.35), 'fork json': atMost(1) }
    return {
      samples,
      comparisons: [
        ...against(samples, targets),
        { ours: 'wat, spawned by a wat-vm', peer: EMPTY, target: targets[EMPTY] },
        { ours: 'wat, from a shell', peer: EMPTY, target: targets[EMPTY] },
      ],
    }
  },
}

export const spawner: Figure = {
  name: 'spawner-start',
  title: 'a process that also spawns, start to its first reply',
  unit: 'ms',
  async measure({ rounds, quick }) {
    const contenders: Contender[] = [
      { name: OURS, sample: () => spawned('wat-spawner.ts') },
      { name: ONCE_STARTED, sample: () => spawned('wat-spawner-waits.ts') },
      { name: 'node:child_process', sample: () => answered('node-spawner.mjs') },
      { name: 'execa', sample: () => answered('execa-spawner.mjs') },
      { name: EMPTY, sample: () => empty('empty.cjs') },
    ]
    const samples = await starts(contenders, rounds, quick)
    const target = atMost(1.6)
    return {
      samples,
      comparisons: [
        ...against(samples, { [EMPTY]: target }),
        { ours: ONCE_STARTED, peer: EMPTY, target },
        { ours: 'node:child_process', peer: EMPTY },
        { ours: 'execa', peer: EMPTY },
      ],
    }
  },
}

export const warmSpawn: Figure = {
  name: 'warm-spawn',
  title: 'warm spawn, a spare ready, to first reply',
  unit: 'ms',
  unavailable: () => ('prewarm' in runtime ? undefined : 'the runtime exports no prewarm'),
  async measure({ rounds, quick }) {
    const { prewarm } = runtime as unknown as { prewarm: (count: number) => unknown }
    const warm = async () => {
      await prewarm(1)
      await new Promise(resolve => setTimeout(resolve, 200)) // the spare boots
      return spawned()
    }
    const contenders: Contender[] = [
      { name: OURS, sample: warm },
      { name: 'cold spawn', sample: coldElsewhere },
    ]
    const samples = await starts(contenders, rounds, quick)
    await prewarm(0)
    const met = median(samples[OURS] ?? []) <= 4
    const share = median(samples[OURS] ?? []) / median(samples['cold spawn'] ?? [])
    return {
      samples,
      comparisons: against(samples, {}),
      checks: [{ what: 'at most 4 ms, or 0.12 of the cold one', met: met || share <= 0.12 }],
    }
  },
}

/** A cold spawn by a parent that has no spares, as this process has while it measures them. */
async function coldElsewhere(): Promise<number> {
  const spawner = new WatProgram(program('wat-spawns.ts'))
  await spawner.ask('cold') // loads what spawning needs
  const ms = await spawner.ask<number>('cold')
  await spawner.end()
  return ms
}

async function starts(contenders: Contender[], rounds: number, quick: boolean): Promise<Samples> {
  return interleave(contenders, quick ? rounds : rounds * STARTS_A_ROUND)
}

async function spawned(name = 'wat-echo.ts'): Promise<number> {
  const start = performance.now()
  const child = runtime.spawnProcess(program(name))
  await child.call(bodyOf('80 B'))
  const ms = performance.now() - start
  await child.stop()
  return ms
}

async function fromShell(): Promise<number> {
  const start = performance.now()
  const child = startWat(program('wat-echo.ts'))
  child.stdin.write('42\n')
  await once(child.stdout, 'data')
  const ms = performance.now() - start
  child.stdin.end()
  await once(child, 'exit')
  return ms
}

/** A plain program of Node: from its start to its answer. */
async function answered(name: string): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, [fileURLToPath(program(name))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.write('42\n')
  await once(child.stdout, 'data')
  const ms = performance.now() - start
  await once(child, 'exit')
  return ms
}

async function forked(): Promise<number> {
  const start = performance.now()
  const child = fork(program('fork-echo.ts'))
  child.send(plainBodyOf('80 B') as object)
  await once(child, 'message')
  const ms = performance.now() - start
  child.disconnect()
  await once(child, 'exit')
  return ms
}

function empty(name: string): Promise<number> {
  return wholeRunMs(process.execPath, [fileURLToPath(program(name))])
}
