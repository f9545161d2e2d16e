import { execaNode } from 'execa'
import { byCalls, correlated } from './by-calls.ts'
import { program } from './peer.ts'

export const execaIpc = byCalls('execa IPC', () => {
  // Keeping every message for the result would grow without end.
  const child = execaNode(program('execa-echo.ts'), { ipc: true, buffer: false, reject: false })
  const { call, onMessage } = correlated(message => void child.sendMessage(message))
  const read = async () => {
    for await (const message of child.getEachMessage()) onMessage(message)
  }
  void read().catch(() => {}) // it has ended
  return {
    call,
    close() {
      child.kill()
      return child
    },
  }
})
