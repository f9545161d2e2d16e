import { execa } from 'execa'
import { fileURLToPath } from 'node:url'

/** The same by execa, as its package is. */
const child = execa(process.execPath, [fileURLToPath(new URL('raw-echo.ts', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  detached: true,
  buffer: false,
  reject: false,
})
process.stdin.once('data', chunk => {
  process.stdout.write(chunk)
  child.kill()
  process.stdin.destroy()
})
