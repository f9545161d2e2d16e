import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  createMessageConnection,
  RequestType,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node'
import { byCalls } from './by-calls.ts'
import { program } from './peer.ts'

const echo = new RequestType<unknown, unknown, void>('echo')

export const jsonrpc = byCalls('vscode-jsonrpc', () => {
  const child = spawn(process.execPath, [fileURLToPath(program('jsonrpc-echo.ts'))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  )
  connection.listen()
  return {
    call: body => connection.sendRequest(echo, body),
    close() {
      connection.end()
      child.stdin.end()
      return once(child, 'exit')
    },
  }
})
