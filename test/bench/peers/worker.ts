import { Worker } from 'node:worker_threads'
import { byCalls, correlated } from './by-calls.ts'
import { program } from './peer.ts'

export const worker = byCalls('worker_threads', () => {
  const thread = new Worker(program('worker-echo.ts'))
  const { call, onMessage } = correlated(message => thread.postMessage(message))
  thread.on('message', onMessage)
  return { call, close: () => thread.terminate() }
})
