// A tree of threads, each of them a wat-vm. One writes prices into memory that all share, and two, one level
// further down, sum up what they read. One more, which loops for ever, is stopped within its grace and a
// second, and the others do not notice.
//   $ wat threads.ts
//   {:address "/london/reader" :pid 27562 :thread 5 :sum 50005000}
//   {:address "/tokyo/reader" :pid 27562 :thread 6 :sum 50005000}
//   {:stopped {:signal "SIGKILL"} :after-ms 909 :call "offline" :meanwhile 762}
import assert from 'node:assert/strict'
import { println, spawnThread, type WatError } from 'wat-vm'
import { createChannel } from 'wat-vm/channel'
import type { Report } from './threads/reader.ts'

const STOP_GRACE_MS = 500
const PRICES = 10_000
const at = (name: string) => new URL(`./threads/${name}.ts`, import.meta.url)
const channels = { prices: createChannel({ bytes: 4096 }) } // far less than the prices: the feed has to wait
const feed = spawnThread<number, number>(at('feed'), { channels })
const desks = ['london', 'tokyo'].map(name => spawnThread<string, Report>(at('desk'), { name, channels }))
await Promise.all(desks.map(desk => desk.call('who'))) // a reader that comes later misses what is written before
const written = await feed.call(PRICES)
const reports = await Promise.all(desks.map(desk => desk.call('sum')))
for (const report of reports) {
  assert.deepEqual([report.sum, report.pid], [written, process.pid], 'all of it, in one process')
  await println(report)
}
assert.equal(new Set(reports.map(({ thread }) => thread)).size, 2, 'in threads of their own')

const loops = spawnThread(at('loops'), { stopGrace: STOP_GRACE_MS })
await loops.ready
const call = loops.call('go').catch(({ code }: WatError) => code)
const then = performance.now()
const stopped = loops.stop()
let meanwhile = 0
while (!(await Promise.race([stopped, desks[meanwhile++ % 2]!.call('who').then(() => false)])));
const { signal } = await stopped
const after = Math.round(performance.now() - then)
assert.deepEqual([signal, await call], ['SIGKILL', 'offline'])
assert.ok(after < STOP_GRACE_MS + 1000 && meanwhile > 10, 'in time, and the others have answered')
await println({ stopped: { signal }, 'after-ms': after, call: await call, meanwhile })
