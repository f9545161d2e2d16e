// A leaf follows a file, two levels below the root, which reads its lines as they are written. When the root has
// seen enough it leaves the loop: the signal of the request wakes the leaf, which stops watching. Nothing is left.
//   $ wat tail.ts
//   {:lines ["line 1" "line 2" "line 3"] :from "/branch/leaf"}
//   {:watching 0 :exit {:code 0}}
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { println, proxy, spawnProcess } from 'wat-vm'
import type { Leaf } from './tail/leaf.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'wat-tail-'))
const file = path.join(folder, 'log')
writeFileSync(file, 'line 1\n')

const branch = spawnProcess(new URL('./tail/leaf.ts', import.meta.url), { name: 'branch', args: ['branch'] })
const leaf = proxy<Leaf>(branch)
const lines: string[] = []
for await (const line of await leaf.follow(file)) {
  if (lines.push(line) === 3) break
  appendFileSync(file, `line ${lines.length + 1}\n`)
}
let state = await leaf.state()
await println({ lines, from: state.address })
while (state.watching > 0) state = await leaf.state()
await println({ watching: state.watching, exit: await branch.stop() })
rmSync(folder, { recursive: true })
assert.deepEqual(lines, ['line 1', 'line 2', 'line 3'])
