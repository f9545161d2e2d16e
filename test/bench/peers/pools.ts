import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'
import { byCalls } from './by-calls.ts'
import { program } from './peer.ts'

const filename = program('pool-echo.ts').href

/** Both with the one worker that everybody else has, and leave to give it all that is in flight. */
const oneWorker = { filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 256 }

export const piscina = byCalls('piscina', () => {
  const pool = new Piscina(oneWorker)
  return { call: body => pool.run(body), close: () => pool.destroy() }
})

export const tinypool = byCalls('tinypool, process', () => {
  const pool = new Tinypool({ ...oneWorker, runtime: 'child_process' })
  return { call: body => pool.run(body), close: () => pool.destroy() }
})
