import { randomUUID } from 'node:crypto'
import { WatProgram } from '../commands.ts'
import { atMost, type Figure } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { survivors } from '../proc.ts'
import { interleave } from '../rounds.ts'
import { median } from '../stats.ts'

/** A tree this large takes seconds of both cores: few rounds tell enough. */
const MOST_ROUNDS = 3

/** What may outlive the root for a moment, its guards, has gone by then. */
const GONE_MS = 1000

export const tree: Figure = {
  name: 'tree',
  title: 'a binary tree: boot, fan out, collect and stop, per process',
  unit: 'ms',
  async measure({ rounds, quick }) {
    const [small, large] = quick ? [2, 3] : [4, 8]
    const [few, many] = [small, large].map(levels => `tree of ${2 ** levels - 1}`) as [string, string]
    const phases = new Map<string, number[]>()
    let left = 0
    const grow = async (levels: number) => {
      const run = await growOnce(levels)
      left += run.survivors
      for (const [phase, ms] of Object.entries(run.phases)) {
        const name = `tree of ${2 ** levels - 1}, ${phase}`
        phases.set(name, [...(phases.get(name) ?? []), ms])
      }
      return run.msPerProcess
    }
    const samples = await interleave(
      [
        { name: many, sample: () => grow(large) },
        { name: few, sample: () => grow(small) },
      ],
      Math.min(rounds, MOST_ROUNDS),
    )
    return {
      samples,
      comparisons: [{ ours: many, peer: few, target: atMost(1.3) }],
      checks: [{ what: `survivors: ${left}`, met: left === 0 }],
      notes: [...phases].map(([name, all]) => `${name}: ${median(all).toFixed(0)} ms`),
    }
  },
}

async function growOnce(levels: number) {
  const tag = randomUUID()
  const size = 2 ** levels - 1
  const start = performance.now()
  const root = new WatProgram(program('wat-tree.ts'), [String(levels)], { WAT_BENCH_TAG: tag })
  const booted = await root.ask<number>(1)
  const asked = performance.now()
  const sum = await root.ask<number>(1)
  const collected = performance.now()
  await root.end()
  const ended = performance.now()
  if (booted !== size || sum !== size) throw new Error(`of ${size} processes ${booted}, then ${sum} answered`)
  return {
    msPerProcess: (ended - start) / size,
    phases: { boot: asked - start, 'fan out and collect': collected - asked, stop: ended - collected },
    survivors: await survivors(`WAT_BENCH_TAG=${tag}`, GONE_MS),
  }
}
