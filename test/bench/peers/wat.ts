import { spawnProcess, spawnThread } from 'wat-vm'
import { OURS } from '../figure.ts'
import { bodyOf } from '../work.ts'
import { byCalls } from './by-calls.ts'
import { program } from './peer.ts'

export const wat = byCalls(
  OURS,
  () => {
    const child = spawnProcess(program('wat-echo.ts'))
    return { call: body => child.call(body), close: () => child.stop() }
  },
  size => bodyOf(size),
)

export const watThread = byCalls(
  OURS,
  () => {
    const child = spawnThread(program('wat-echo.ts'))
    return { call: body => child.call(body), close: () => child.stop() }
  },
  size => bodyOf(size),
)
