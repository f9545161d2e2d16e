import { serve, spawnProcess, type Process } from 'wat-vm'
import { bodyOf } from '../work.ts'

/** V8 makes code of what it has seen so often; until then a level takes twice as long. */
const WARM_UP = 2000

const body = bodyOf('80 B')
const chains = new Map<number, Process>()

/** Calls through a chain of so many levels, one call at a time. */
await serve(async ([depth, count]: [number, number]) => {
  const chain = chains.get(depth) ?? (await grow(depth))
  for (let i = 0; i < count; i++) await chain.call(body)
  return count
})

async function grow(depth: number): Promise<Process> {
  const chain = spawnProcess(new URL('wat-link.ts', import.meta.url), { args: [String(depth)] })
  chains.set(depth, chain)
  for (let i = 0; i < WARM_UP; i++) await chain.call(body)
  return chain
}
