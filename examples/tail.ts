// A leaf follows a file, two levels below the root, which reads its lines as they are written. When the root has
// seen enough it leaves the loop: the signal of the request wakes the leaf, which stops watching. Nothing is left.
//   $ wat tail.ts
//   {:lines ["line 1" "line 2" "line 3"] :from "/branch/leaf"}
//   {:watching 0 :exit {:code 0}}
import assert from 'node:assert/strict'
import { appendFileSync, closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { println, proxy, type Request, self, serve, spawnProcess, withRequest } from 'wat-vm'

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

const [role] = self.args
const below = (name: string) => spawnProcess(import.meta.filename, { name, args: [name] })

if (role === 'leaf') await serve(methods)
else if (role === 'branch') await serve(below('leaf'))
else {
  const folder = mkdtempSync(path.join(tmpdir(), 'wat-tail-'))
  const file = path.join(folder, 'log')
  writeFileSync(file, 'line 1\n')
  const branch = below('branch')
  const leaf = proxy<typeof methods>(branch)
  const lines: string[] = []
  for await (const line of await leaf.follow(file)) {
    if (lines.push(line) === 3) break
    appendFileSync(file, `line ${lines.length + 1}\n`)
  }
  const { address } = await leaf.state()
  await println({ lines, from: address })
  let state = await leaf.state()
  while (state.watching > 0) state = await leaf.state()
  await println({ watching: state.watching, exit: await branch.stop() })
  rmSync(folder, { recursive: true })
  assert.deepEqual(lines, ['line 1', 'line 2', 'line 3'])
}
