import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { byCalls, correlated } from './by-calls.ts'
import { JsonLines } from '../programs/json-lines.ts'
import { program } from './peer.ts'

/**
 * The floor of a protocol of text between two Nodes: V8's own codec, a line a message, nothing checked, the
 * messages of a chunk written at once.
 */
export const jsonLines = byCalls('JSON lines', () => {
  const child = spawn(process.execPath, [fileURLToPath(program('json-lines-echo.ts'))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = new JsonLines(child.stdout, child.stdin)
  const { call, onMessage } = correlated(message => lines.send(message))
  lines.onMessage(onMessage)
  return {
    call,
    close() {
      child.stdin.end()
      return once(child, 'exit')
    },
  }
})
