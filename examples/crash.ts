// An L3 panics below each of two L2. One starts it again and goes on; the other lets it pass, and the
// root sees the whole chain of causes. The panics themselves come up as records on stderr.
//   $ wat crash.ts 2>/dev/null
//   {:recovered [2 nil 4]}
//   {:passed ["no answer for 7" "fragile exited with code 2: cannot halve 7" "cannot halve 7"
//    "it is odd"] :codes ["handler" "offline" "handler" "handler"]}
import assert from 'node:assert/strict'
import { println, spawnProcess, WatError } from 'wat-vm'

const at = (name: string) => new URL(`./crash/${name}.ts`, import.meta.url)
const recovers = spawnProcess<number, number | null>(at('recovers'))
const passes = spawnProcess<number, number>(at('passes'))

const recovered = [await recovers.call(4), await recovers.call(7), await recovers.call(8)]
assert.deepEqual(recovered, [2, null, 4], 'nil for the one that killed the leaf, and the next works')
await println({ recovered })

assert.equal(await passes.call(4), 2)
const error = await passes.call(7).catch((reason: unknown) => reason)
assert.ok(error instanceof WatError)
const chain: WatError[] = []
for (let link: unknown = error; link instanceof WatError; link = link.cause) chain.push(link)
const passed = chain.map(link => link.message)
assert.deepEqual(passed, [
  'no answer for 7',
  'fragile exited with code 2: cannot halve 7',
  'cannot halve 7',
  'it is odd',
])
const codes = chain.map(link => link.code)
assert.deepEqual(codes, ['handler', 'offline', 'handler', 'handler'])
await println({ passed, codes })

assert.equal(await recovers.call(16), 8, 'the other branch has noticed nothing')
