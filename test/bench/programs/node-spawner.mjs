import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a spawn costs with nothing but Node: it answers when its child is started. */
const child = spawn(process.execPath, [fileURLToPath(new URL('raw-echo.ts', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  detached: true,
})
process.stdin.once('data', chunk => {
  process.stdout.write(chunk)
  child.kill()
  process.stdin.destroy()
})
