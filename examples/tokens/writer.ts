// Answers word by word, below as many processes that pass everything on as its argument says.
import { self, serve, spawnProcess } from 'wat-vm'

const above = Number(self.args[0])
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
export type Writer = typeof methods

if (above > 0) await serve(spawnProcess(import.meta.filename, { name: 'n', args: [String(above - 1)] }))
else await serve(methods)
