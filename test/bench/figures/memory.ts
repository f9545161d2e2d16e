import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { spawnProcess } from 'wat-vm'
import { atMost, OURS, type Figure } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { groupOf, pssMiB } from '../proc.ts'
import { bodyOf } from '../work.ts'

const NODE = 'idle Node'

/** Until what a process does behind its start is done. */
const SETTLE_MS = 500

export const memory: Figure = {
  name: 'memory',
  title: 'memory (PSS) of an idle wat-vm that has answered once, its guard included',
  unit: 'MiB',
  async measure({ rounds }) {
    const samples: Record<string, number[]> = { [OURS]: [], 'wat, without its guard': [], [NODE]: [] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, value] of Object.entries(await pair())) samples[name]?.push(value)
    }
    const target = atMost(1.15)
    return {
      samples,
      comparisons: [
        { ours: OURS, peer: NODE, target },
        { ours: 'wat, without its guard', peer: NODE },
      ],
    }
  },
}

/** Both at the same time, so that what they share counts alike. */
async function pair(): Promise<Record<string, number>> {
  const bare = spawn(process.execPath, [fileURLToPath(program('idle.mjs'))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(bare.stdout, 'data')
  const child = spawnProcess(program('wat-echo.ts'))
  await child.call(bodyOf('80 B'))
  await delay(SETTLE_MS)
  const pid = child.pid as number
  const result = {
    [OURS]: groupOf(pid).reduce((sum, member) => sum + pssMiB(member), 0),
    'wat, without its guard': pssMiB(pid),
    [NODE]: pssMiB(bare.pid as number),
  }
  bare.stdin.end()
  await Promise.all([child.stop(), once(bare, 'exit')])
  return result
}
