// Sleeps before it reads anything, and dozes off again and again.
import { setTimeout as sleep } from 'node:timers/promises'
import { println, stdin } from 'wat-vm'
import { memory } from './memory.ts'

await sleep(500)
let count = 0
for await (const block of stdin as AsyncIterable<string>) {
  if ((count += block.length) % 2 ** 24 === 0) await sleep(20)
}
await println({ count, levels: [memory()] })
