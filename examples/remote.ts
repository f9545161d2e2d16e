// Two hosts, here both on this machine: one behind a Unix socket, one behind a TCP port. A branch on each has
// a leaf of its own there, and each of the four adds up its share of the numbers. Then one host is
// killed: all that it ran is gone within the grace and a second, and the other goes on.
//   $ wat remote.ts
//   {:at "unix:/tmp/wat-JUIiFm/host" :parts [{:address "/a" :host "vm" :pid 32597 :parent 32579 :sum 1} …]}
//   {:at "tcp://127.0.0.1:32977" :parts [{:address "/b" …} {:address "/b/leaf" …}]}
//   {:sum 10 :call "offline" :survivors 0 :other 5}
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { println, self, spawnRemote, type WatError } from 'wat-vm'
import { startHost } from './remote/host.ts'
import { total, type Part } from './remote/part.ts'
import { survivors } from './shared/proc.ts'

const STOP_GRACE_MS = 500
const branch = new URL('./remote/branch.ts', import.meta.url)
const folder = mkdtempSync(path.join(tmpdir(), 'wat-')) // nobody else can look into it
self.onStop(() => rmSync(folder, { recursive: true }))
const secret = path.join(folder, 'secret') // whoever can read it may start programs there

const hosts = [await startHost(`unix:${folder}/host`, secret), await startHost('tcp://127.0.0.1:0', secret)]
const [a, b] = hosts.map(({ at }, i) =>
  spawnRemote<number[], Part[]>(branch, { at, secret, name: 'ab'[i], stopGrace: STOP_GRACE_MS }),
)
const parts = await Promise.all([a!.call([1, 3]), b!.call([2, 4])])
for (const [i, { at, process }] of hosts.entries()) {
  await println({ at, parts: parts[i] })
  assert.equal(parts[i]![0]!.parent, process.pid, 'the host has started it')
}
assert.equal(total(parts.flat()), 10)

hosts[0]!.process.signal('SIGKILL')
await a!.exited
const call = await a!.call([1]).catch((error: WatError) => error.code)
assert.equal(call, 'offline')
const survived = await survivors(parts[0].map(({ pid }) => pid), STOP_GRACE_MS + 1000) // prettier-ignore
assert.deepEqual(survived, [], 'nobody on that host lives on')
await println({ sum: 10, call, survivors: survived.length, other: total(await b!.call([2, 3])) })
