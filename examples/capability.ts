// A capability: what somebody may do is what he was given, and nothing else. A guest gets a view of a store,
// an object that wraps it, which reads and does not write, and no more than three times. He tries to get
// more: to write, to name what is behind the view, to go on beyond his rate, to revoke it himself. Nothing
// of it works, and when the view is revoked all copies of it are cut off, also the one he has passed on.
//   $ wat capability.ts
//   {:read ["tea" nil "tea"]}
//   {:tries {:write "no-handler" :delete "no-handler" :constructor "no-handler" :store "no-handler" :forged "denied" :revoke "denied" :fourth "overloaded"}}
//   {:revoked ["denied" "denied"] :owner "tea"}
import assert from 'node:assert/strict'
import { println, proxy, ref, spawnProcess, WatError } from 'wat-vm'
import type { guest } from './capability/guest.ts'
import { Store } from './capability/store.ts'

const store = ref(new Store([['drink', 'tea']])) // all of it; the guest never sees this one
const full = proxy<Store>(store)
const view = ref(readOnly(3))
const child = spawnProcess(new URL('./capability/guest.ts', import.meta.url), { given: { view } })
const visitor = proxy<typeof guest>(child)

const read = await visitor.reads(['drink', 'food', 'drink'])
assert.deepEqual(read, ['tea', null, 'tea'])
await println({ read })
const tries = await visitor.tries()
const none = 'no-handler'
assert.deepEqual(tries, { write: none, delete: none, constructor: none, store: none, forged: 'denied', revoke: 'denied', fourth: 'overloaded' }) // prettier-ignore
await println({ tries })

view.revoke()
const revoked = await visitor.isCutOff()
assert.deepEqual(revoked, ['denied', 'denied'], 'he himself, and whom he has given it')
const owner = await full.read('drink')
assert.equal(owner, 'tea', 'nothing was written, and the store goes on for its owner')
await println({ revoked, owner })
await child.stop()

function readOnly(left: number) {
  const limit = () => new WatError('overloaded', 'this view gives no more than it has given')
  return { read: (key: string) => (left-- > 0 ? full.read(key) : Promise.reject(limit())) }
}
