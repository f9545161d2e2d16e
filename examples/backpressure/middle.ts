// Passes everything on, one value at a time.
import { println, spawnProcess, stdin } from 'wat-vm'
import { type Memory, memory } from './memory.ts'

const leaf = spawnProcess<unknown, { count: number; levels: Memory[] }>(new URL('./leaf.ts', import.meta.url))
for await (const block of stdin) await leaf.stdin.send(block)
await leaf.stdin.end()
const { count, levels } = (await leaf.stdout.recv())!
await println({ count, levels: [memory(), ...levels] })
