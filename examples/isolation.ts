// Two siblings with a process inside each, which are cousins. Each sees what its own parent sends and
// nothing else, and no two of the five hold an end of the same pipe: there is no way between them.
//   $ wat isolation.ts
//   {:address "/a" :pid 6528 :saw "for a"}
//   {:address "/b" :pid 6529 :saw "for b"}
//   {:address "/a/inner" :pid 6555 :saw "for a, passed on"}
//   {:address "/b/inner" :pid 6554 :saw "for b, passed on"}
//   {:processes 5 :pipe-ends 48 :shared 0}
import assert from 'node:assert/strict'
import { println, select, spawnProcess } from 'wat-vm'
import { pipeEnds } from './isolation/pipe-ends.ts'

const others = pipeEnds(process.pid, 5) // what the shell has left open besides the three
const cell = new URL('./isolation/cell.ts', import.meta.url)
const a = spawnProcess<string, Word>(cell, { name: 'a', args: ['outer'] })
const b = spawnProcess<string, Word>(cell, { name: 'b', args: ['outer'] })
type Word = { address: string; pid: number; saw: string }
await Promise.all([a.stdin.send('for a'), b.stdin.send('for b')])
const words: Word[] = []
while (words.length < 4) {
  const word = await (await select([a.stdout, b.stdout])).recv() // of whoever speaks first
  assert.ok(word, 'nobody has ended')
  words.push(word)
  await println(word)
}
assert.deepEqual(Object.fromEntries(words.map(({ address, saw }) => [address, saw])), {
  '/a': 'for a',
  '/b': 'for b',
  '/a/inner': 'for a, passed on',
  '/b/inner': 'for b, passed on',
})
const pids = [process.pid, ...words.map(({ pid }) => pid)]
const held = pids.flatMap(pid => pipeEnds(pid)).filter(end => !others.includes(end))
const shared = held.length - new Set(held).size
assert.equal(shared, 0, 'nobody holds what somebody else holds')

await a.stop()
await b.stdin.send('more')
assert.equal((await b.stdout.recv())?.saw, 'more', 'the end of one is nothing to the other')
await println({ processes: pids.length, 'pipe-ends': held.length, shared })
