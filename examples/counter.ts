// An actor with state: a hundred callers at once lose no update, and a second actor has its own state.
//   $ wat counter.ts
//   {:address "/counter" :count 5050}
//   {:address "/counter/2" :count 1}
import assert from 'node:assert/strict'
import { println, spawnProcess } from 'wat-vm'
import type { Message } from './counter/actor.ts'

const counter = start()
const other = start()

const steps = Array.from({ length: 100 }, (_, i) => i + 1)
const [seen] = await Promise.all([
  Promise.all(steps.map(add => counter.call({ add }))),
  other.call({ add: 1 }),
])
assert.equal(new Set(seen).size, 100, 'every caller saw a count of its own')
assert.equal(await counter.call('count'), 5050)
assert.equal(await other.call('count'), 1)

for (const actor of [counter, other])
  await println({ address: actor.address, count: await actor.call('count') })

function start() {
  return spawnProcess<Message, number>(new URL('./counter/actor.ts', import.meta.url), { name: 'counter' })
}
