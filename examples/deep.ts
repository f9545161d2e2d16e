// A chain of sixteen processes, each the child of the one before, answers and goes.
//   $ wat deep.ts
//   {:deepest "/link/link/link/link/link/link/link/link/link/link/link/link/link/link/link"}
//   {:levels 16 :left 0 :exit {:code 0}}
import assert from 'node:assert/strict'
import { println, spawnProcess } from 'wat-vm'
import type { Link } from './deep/link.ts'
import { survivors } from './shared/proc.ts'

const LEVELS = 16 // this one is the first
const first = spawnProcess<number, Link[]>(new URL('./deep/link.ts', import.meta.url))

const chain = await first.call(LEVELS - 1)
assert.equal(new Set([process.pid, ...chain.map(({ pid }) => pid)]).size, LEVELS)
const deepest = chain.at(-1)!.address
assert.equal(deepest, '/link'.repeat(LEVELS - 1))
await println({ deepest })

const { code } = await first.stop()
assert.equal(code, 0)
const left = await survivors(
  chain.map(({ pid }) => pid),
  0,
)
assert.deepEqual(left, [], 'when the first has gone, everybody below it has')
await println({ levels: LEVELS, left: left.length, exit: { code } })
