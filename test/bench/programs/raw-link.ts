import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Hands bytes on to the next of a chain of so many, and back; the last one gives them back. */
const below = Number(process.argv[2]) - 1

if (below === 0) process.stdin.on('data', chunk => process.stdout.write(chunk))
else {
  const next = spawn(process.execPath, [fileURLToPath(import.meta.url), String(below)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  process.stdin.on('data', chunk => next.stdin.write(chunk))
  process.stdin.on('end', () => next.stdin.end())
  next.stdout.on('data', chunk => process.stdout.write(chunk))
}
