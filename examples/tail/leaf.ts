// Follows files for whoever asks; at the end of a branch, which passes everything on.
import { closeSync, openSync, readSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { type Request, self, serve, spawnProcess, withRequest } from 'wat-vm'

let watching = 0

/** The lines of a file, and those that are still to be written. */
async function* follow({ signal }: Request, file: string): AsyncGenerator<string> {
  const fd = openSync(file, 'r')
  watching++
  try {
    const chunk = Buffer.alloc(4096)
    let rest = ''
    const changes = watch(file, { signal })[Symbol.asyncIterator]()
    for (let change; !(await change)?.done;) {
      change = changes.next() // asked for before the file is read, so that none is missed
      change.catch(() => {}) // when nobody reads any more it is not awaited
      for (let length; (length = readSync(fd, chunk)) > 0;) rest += chunk.toString('utf8', 0, length)
      const lines = rest.split('\n')
      rest = lines.pop() as string
      yield* lines
    }
  } finally {
    closeSync(fd)
    watching--
  }
}

const methods = { follow: withRequest(follow), state: () => ({ watching, address: self.address }) }
export type Leaf = typeof methods

await serve(self.args[0] === 'branch' ? spawnProcess(import.meta.filename) : methods)
