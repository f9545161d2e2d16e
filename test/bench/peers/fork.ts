import { fork, type SerializationType } from 'node:child_process'
import { once } from 'node:events'
import { byCalls, correlated } from './by-calls.ts'
import { program } from './peer.ts'

export const forkJson = forked('json')
export const forkAdvanced = forked('advanced')

function forked(serialization: SerializationType) {
  return byCalls(`fork ${serialization}`, () => {
    const child = fork(program('fork-echo.ts'), { serialization })
    const { call, onMessage } = correlated(message => child.send(message))
    child.on('message', onMessage)
    return {
      call,
      close() {
        child.disconnect()
        return once(child, 'exit')
      },
    }
  })
}
