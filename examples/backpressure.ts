// A root floods 200 MB through a middle into a leaf that sleeps. Nobody has to count or to drop
// anything: the slow leaf slows the root, and the memory of all three stays flat.
//   $ wat backpressure.ts
//   {:address "/" :start-mb 54 :peak-mb 72 :grown-mb 18}
//   {:address "/middle" :start-mb 53 :peak-mb 84 :grown-mb 31}
//   {:address "/middle/leaf" :start-mb 53 :peak-mb 69 :grown-mb 16}
//   {:sent-mb 200 :received-mb 200}
import assert from 'node:assert/strict'
import { println, spawnProcess } from 'wat-vm'
import { type Memory, memory } from './backpressure/memory.ts'

const BLOCKS = 12_800
const MOST_MB = 60
const block = 'x'.repeat(2 ** 14)
type Report = { count: number; levels: Memory[] }
const middle = spawnProcess<string, Report>(new URL('./backpressure/middle.ts', import.meta.url))

for (let sent = 0; sent < BLOCKS; sent++) await middle.stdin.send(block)
await middle.stdin.end()
const { count, levels } = (await middle.stdout.recv())!

assert.equal(count, BLOCKS * block.length, 'everything has arrived')
for (const level of [memory(), ...levels]) {
  await println(level)
  assert.ok(level['grown-mb'] < MOST_MB, `${level.address} has grown by ${level['grown-mb']} MB`)
}
await println({ 'sent-mb': (BLOCKS * block.length) / 2 ** 20, 'received-mb': count / 2 ** 20 })
