import { parentPort } from 'node:worker_threads'

let count = 0
parentPort?.on('message', message => {
  if (message !== 'end') count++
  else {
    parentPort?.postMessage(count)
    count = 0
  }
})
