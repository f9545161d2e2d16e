// Adds one to the counter that it was given, as often as it is asked to, and tells what it saw.
import { type Process, proxy, type Ref, self, serve } from 'wat-vm'

export interface Kid {
  asks: number
  answers: { kid: string; pid: number; counts: number[] }
  process: Process<Kid['asks'], Kid['answers']>
}

const counter = proxy<{ add(k: number): number }>(self.given.counter as Ref)

await serve(async (times: number): Promise<Kid['answers']> => {
  const counts: number[] = []
  while (counts.length < times) counts.push(await counter.add(1))
  return { kid: self.address, pid: process.pid, counts }
})
