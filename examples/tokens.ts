// An answer that comes word by word, through three levels: a handler that is an async generator, and two
// processes that pass the stream on without looking at it. The reader stops in the middle of a second answer,
// and the generator's `finally` runs at the other end.
//   $ wat tokens.ts
//   {:words 9 :text "the quick brown fox jumps over the lazy dog" :through "/writer/n/n"}
//   {:first ["one" "two"] :cleaned 2}
import assert from 'node:assert/strict'
import { println, proxy, spawnProcess } from 'wat-vm'
import type { Writer } from './tokens/writer.ts'

const child = spawnProcess(new URL('./tokens/writer.ts', import.meta.url), { args: ['2'] })
const writer = proxy<Writer>(child)

const said: string[] = []
for await (const word of await writer.words('the quick brown fox jumps over the lazy dog')) said.push(word)
const { address } = await writer.state()
await println({ words: said.length, text: said.join(' '), through: address })

const first: string[] = []
for await (const word of await writer.words('one two three four five')) if (first.push(word) === 2) break
let state = await writer.state()
while (state.cleaned < 2) state = await writer.state()
await println({ first, cleaned: state.cleaned })
await child.stop()
assert.deepEqual([said.length, first], [9, ['one', 'two']])
