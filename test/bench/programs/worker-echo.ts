/* oxlint-disable unicorn/require-post-message-target-origin -- threads, not windows */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', message => parentPort?.postMessage(message))
