// A call that brings a callback: while it runs, the child reports how far it is, and each report waits until
// the parent has looked at it, so that a slow reader slows the work. What a report answers steers the work:
// the second call is told to go no further than half. The callback lives as long as its call: then the child
// lets it go, and a report that comes late is refused.
//   $ wat progress.ts
//   {:call 1 :reports [0.25 0.5 0.75 1.0] :sum 500500}
//   {:call 2 :reports [0.25 0.5] :sum 125250}
//   {:late "denied" :released 2}
import assert from 'node:assert/strict'
import { println, proxy, ref, spawnProcess } from 'wat-vm'
import { Double } from 'wat-vm/edn'
import type { worker } from './progress/worker.ts'

const child = spawnProcess(new URL('./progress/worker.ts', import.meta.url))
const adds = proxy<typeof worker>(child)
let released = 0

for (const [index, most] of [1, 0.5].entries()) {
  const reports: number[] = []
  const report = (done: number): boolean => {
    assert.equal(answered, undefined, 'it comes while the call runs')
    reports.push(done)
    return done < most // whether to go on
  }
  const progress = ref(Object.assign(report, { [Symbol.dispose]: () => void released++ }))
  let answered: number | undefined
  answered = await adds.sum(1000, progress)
  assert.deepEqual(
    reports,
    [0.25, 0.5, 0.75, 1].filter(done => done <= most),
  )
  assert.equal(answered, most === 1 ? 500_500 : 125_250)
  await println({ call: index + 1, reports: reports.map(done => new Double(done)), sum: answered })
}
const late = await adds.reportsLate()
assert.equal(late, 'denied', 'it has let the callback go')
assert.equal(released, 2, 'and so has everybody')
await println({ late, released })
await child.stop()
