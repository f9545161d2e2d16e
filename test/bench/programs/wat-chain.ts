import { serve, spawnProcess, type Process } from 'wat-vm'
import { bodyOf } from '../work.ts'

const body = bodyOf('80 B')
const chains = new Map<number, Process>()

/** Calls through a chain of so many levels, one call at a time. */
await serve(async ([depth, count]: [number, number]) => {
  const chain = chains.get(depth) ?? grow(depth)
  for (let i = 0; i < count; i++) await chain.call(body)
  return count
})

function grow(depth: number): Process {
  const chain = spawnProcess(new URL('wat-link.ts', import.meta.url), { args: [String(depth)] })
  chains.set(depth, chain)
  return chain
}
