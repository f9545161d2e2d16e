// An answer that comes word by word, through three levels: a handler that is an async generator, and two
// processes that pass the stream on without looking at it. The reader stops in the middle of a second answer,
// and the generator's `finally` runs at the other end.
//   $ wat tokens.ts
//   {:words 9 :text "the quick brown fox jumps over the lazy dog" :through "/writer/n/n"}
//   {:first ["one" "two"] :cleaned 2}
import assert from 'node:assert/strict'
import { println, proxy, self, serve, spawnProcess } from 'wat-vm'

const [depth] = self.args
const levels = 2
let cleaned = 0

/** As a model does that thinks before each word. */
async function* words(text: string): AsyncGenerator<string> {
  try {
    for (const word of text.split(' ')) {
      await new Promise(resolve => setTimeout(resolve, 5))
      yield word
    }
  } finally {
    cleaned++
  }
}
const methods = { words, state: () => ({ cleaned, address: self.address }) }

const below = (name: string, left: number) =>
  spawnProcess(import.meta.filename, { name, args: [String(left)] })

if (depth === undefined) {
  await using writer = below('writer', levels)
  const far = proxy<typeof methods>(writer)
  const said: string[] = []
  for await (const word of await far.words('the quick brown fox jumps over the lazy dog')) said.push(word)
  const { address } = await far.state()
  await println({ words: said.length, text: said.join(' '), through: address })

  const first: string[] = []
  for await (const word of await far.words('one two three four five')) if (first.push(word) === 2) break
  let state = await far.state()
  while (state.cleaned < 2) state = await far.state()
  await println({ first, cleaned: state.cleaned })
  assert.deepEqual([said.length, first], [9, ['one', 'two']])
} else if (Number(depth) > 0) await serve(below('n', Number(depth) - 1))
else await serve(methods)
