// One link of a chain: it starts the next when a request wants to go deeper.
import { type Process, self, serve, spawnProcess } from 'wat-vm'

export type Link = { address: string; pid: number }

let next: Process<number, Link[]> | undefined
await serve(async (depth: number): Promise<Link[]> => {
  const here = { address: self.address, pid: process.pid }
  if (depth === 1) return [here]
  next ??= spawnProcess(new URL(import.meta.url))
  return [here, ...(await next.call(depth - 1))]
})
