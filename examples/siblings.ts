// Two siblings add to one counter that neither of them owns: it lives in their parent, and each was given a
// reference to it. No update is lost, each sees the counts of both, and when one of them is killed the
// counter goes on with the other. When the last one is gone, nobody holds it and it is disposed of.
//   $ wat siblings.ts
//   {:kid "/a" :pid 7701 :counts 100 :first 1 :last 173}
//   {:kid "/b" :pid 7702 :counts 100 :first 20 :last 200}
//   {:total 200 :after-a-kill 201 :disposed true}
import assert from 'node:assert/strict'
import { println, ref, spawnProcess } from 'wat-vm'
import type { Kid } from './siblings/kid.ts'

let total = 0
let disposed = false
const counter = ref({
  add: (k: number) => (total += k),
  [Symbol.dispose]: () => void (disposed = true),
})
const given = { counter }
const [a, b] = ['a', 'b'].map(name =>
  spawnProcess<Kid['asks'], Kid['answers']>(new URL('./siblings/kid.ts', import.meta.url), { name, given }),
) as [Kid['process'], Kid['process']]

const both = await Promise.all([a.call(100), b.call(100)])
const all = both.flatMap(({ counts }) => counts)
assert.deepEqual(all.toSorted((x, y) => x - y), Array.from({ length: 200 }, (_, i) => i + 1), 'no update is lost') // prettier-ignore
assert.equal(total, 200)
for (const { kid, pid, counts } of both)
  await println({ kid, pid, counts: counts.length, first: counts[0], last: counts.at(-1) })

await a.kill()
const { counts } = await b.call(1)
assert.deepEqual(counts, [201], 'the death of one is nothing to the other')
assert.equal(disposed, false, 'somebody still holds it')
await b.stop()
assert.equal((await counter.closed).code, 'denied')
assert.ok(disposed, 'nobody holds it any more')
await println({ total: 200, 'after-a-kill': total, disposed })
