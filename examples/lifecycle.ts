// `kill -9` in the middle of the tree. Everything below the one that was killed dies within the grace
// and a second: the leaf that can still run its hooks, and the one that is stuck in a loop. Its parent
// is told, its sibling notices nothing.
//   $ wat lifecycle.ts
//   {:killed 6800 :below [6834 6836] :survivors 0 :after-ms 1106}
//   {:exit {:signal "SIGKILL"} :note "stopped in order" :sibling-alive 3}
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { println, self, spawnProcess } from 'wat-vm'
import { isAlive, survivors } from './shared/proc.ts'

const STOP_GRACE_MS = 500
const folder = mkdtempSync(path.join(tmpdir(), 'wat-'))
self.onStop(() => rmSync(folder, { recursive: true }))
const start = (name: string) =>
  spawnProcess<'who' | 'hang', number[]>(new URL('./lifecycle/branch.ts', import.meta.url), {
    name,
    args: [path.join(folder, name)],
    stopGrace: STOP_GRACE_MS,
  })
const victim = start('victim')
const sibling = start('sibling')

const [[killed, ...below], others] = [await victim.call('who'), await sibling.call('who')]
await victim.call('hang')
victim.signal('SIGKILL')
const { signal } = await victim.exited
const then = performance.now()
const survived = await survivors(below, STOP_GRACE_MS + 1000)
assert.deepEqual(survived, [], 'nobody below it lives on')
await println({ killed, below, survivors: survived.length, 'after-ms': Math.round(performance.now() - then) })

assert.equal(signal, 'SIGKILL')
const note = readFileSync(path.join(folder, 'victim'), 'utf8')
assert.equal(note, 'stopped in order')
assert.deepEqual(await sibling.call('who'), others, 'the sibling and its leaves still answer')
await println({ exit: { signal }, note, 'sibling-alive': others.filter(isAlive).length })
