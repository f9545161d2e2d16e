// The proof: ten processes on three levels answer one request, the sum of some numbers. It fans out to
// three L2 and by them to six L3, the replies are collected on the way back, and every process says who
// it is. More vectors may follow; what is no vector of numbers is a fault, exit code 1.
//   $ echo '[1 2 3]' | wat tree.ts
//   {:sum 6 :processes [{:address "/" :pid 6400 :pgid 6399 :parent 6388} … nine more …]}
import assert from 'node:assert/strict'
import { serve, spawnProcess, WatError } from 'wat-vm'
import { about, total, type Part } from './tree/part.ts'

const branches = ['a', 'b', 'c'].map(name =>
  spawnProcess<number[], Part>(new URL('./tree/l2.ts', import.meta.url), { name }),
)

await serve(async (numbers: number[]) => {
  if (!Array.isArray(numbers) || !numbers.every(n => typeof n === 'number')) {
    throw new WatError('malformed', 'tree takes vectors of numbers, such as [1 2 3]', { data: numbers })
  }
  const parts = await Promise.all(branches.map((l2, i) => l2.call(numbers.filter((_, j) => j % 3 === i))))
  const processes = [about(), ...parts.flatMap(part => part.processes)]
  const sum = total(parts)

  const expected = numbers.reduce((all, n) => all + n, 0)
  assert.ok(Object.is(sum, expected) || Math.abs(sum - expected) <= 1e-9 * Math.abs(expected), 'the sum')
  assert.equal(new Set(processes.map(each => each.pid)).size, 10, 'ten processes')
  assert.equal(new Set(processes.map(each => each.pgid)).size, 10, 'each in a group of its own')
  const pids = new Map(processes.map(each => [each.address, each.pid]))
  for (const { address, parent } of processes.slice(1)) {
    assert.equal(parent, pids.get(address.replace(/\/[^/]+$/, '') || '/'), `the parent of ${address}`)
  }
  return { sum, processes }
})
