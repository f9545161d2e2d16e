// Sums up every price there is, and tells the sum when there are no more.
import { threadId } from 'node:worker_threads'
import { self, serve } from 'wat-vm'

export type Report = { address: string; pid: number; thread: number; sum?: number }

const prices = self.channel('prices').reader()
const total = (async () => {
  let sum = 0
  for await (const { buffer } of prices) sum += new Float64Array(buffer)[0]!
  return sum
})()

await serve(async (question: 'who' | 'sum'): Promise<Report> => {
  const about = { address: self.address, pid: process.pid, thread: threadId }
  return question === 'who' ? about : { ...about, sum: await total }
})
