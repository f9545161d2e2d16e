// Three processes in a row, each connected to the next by the Receiver of one and the Sender of the
// other. The last one is slow; so the first one waits, and only little is ever under way.
//   $ wat pipeline.ts
//   {:values 2000 :sum 2668667000 :most-under-way 84}
import assert from 'node:assert/strict'
import { println, type Receiver, type Sender, spawnProcess } from 'wat-vm'

const VALUES = 2000 // of ten kilobytes each
const at = (name: string) => new URL(`./pipeline/${name}.ts`, import.meta.url)
const numbers = spawnProcess(at('numbers'), { args: [`${VALUES}`] })
const squares = spawnProcess(at('squares'))
const total = spawnProcess<unknown, { count: number; sum: number }>(at('total'))

let [started, mostUnderWay, done] = [0, 0, { count: 0, sum: 0 }]
await Promise.all([
  connect(numbers.stdout, squares.stdin, () => started++),
  connect(squares.stdout, total.stdin),
  watch(),
])
assert.deepEqual(done, { count: VALUES, sum: (VALUES * (VALUES + 1) * (2 * VALUES + 1)) / 6 })
assert.ok(mostUnderWay < VALUES / 8, `${mostUnderWay} values were under way at once`)
await println({ values: VALUES, sum: done.sum, 'most-under-way': mostUnderWay })

async function connect(from: Receiver, to: Sender, onValue = () => {}) {
  for await (const value of from) {
    onValue()
    await to.send(value) // settles when the pipe has taken it: this is the backpressure
  }
  await to.end()
}

async function watch() {
  for await (done of total.stdout) mostUnderWay = Math.max(mostUnderWay, started - done.count)
}
