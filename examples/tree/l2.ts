// A branch: a server to L1, a client of its two L3, each of which gets every other number.
import { serve, spawnProcess } from 'wat-vm'
import { about, total, type Part } from './part.ts'

const leaves = ['left', 'right'].map(name =>
  spawnProcess<number[], Part>(new URL('./l3.ts', import.meta.url), { name }),
)

await serve(async (numbers: number[]): Promise<Part> => {
  const parts = await Promise.all(leaves.map((leaf, i) => leaf.call(numbers.filter((_, j) => j % 2 === i))))
  return { sum: total(parts), processes: [about(), ...parts.flatMap(part => part.processes)] }
})
