// A branch on another host: it adds up every other number, its leaf the rest.
import { serve, spawnProcess } from 'wat-vm'
import { part, type Part } from './part.ts'

const leaf = spawnProcess<number[], Part[]>(new URL('./leaf.ts', import.meta.url))

await serve(async (numbers: number[]) => [
  part(numbers.filter((_, i) => i % 2 === 0)),
  ...(await leaf.call(numbers.filter((_, i) => i % 2 === 1))),
])
