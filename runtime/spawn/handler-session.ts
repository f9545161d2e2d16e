import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { Desk } from '../vm/desk.ts'
import { identity } from '../vm/identity.ts'
import { reportFault } from '../vm/log.ts'
import { Port } from '../vm/port.ts'
import type { Handler } from '../vm/serve.ts'
import { exitFrame, readyFrame } from '../wire/frames.ts'
import { sinkOf } from './connection-pipes.ts'
import { streamSource } from '../wire/streams.ts'
import type { Session } from './session.ts'

/** Serves one connection in this process, as `serve` serves the one who holds its pipes. */
export function serveHandler(socket: Socket, handler: Handler, concurrency: number): Session {
  const port = new Port()
  const desk = new Desk(handler, concurrency, port)
  const stop = (): void => {
    port.refuse()
    desk.refuseWaiting()
  }
  port.open(streamSource(socket), sinkOf(socket), {
    onStop: stop,
    onRun: () => reportFault(new WatError('malformed', 'a #wat/run frame has no meaning here')),
    onFault: reportFault,
    onBroken: () => socket.destroy(),
  })
  port.outbox.push(readyFrame(identity.address, process.pid))
  port.serve(desk)
  const closed = new Promise<void>(resolve => {
    socket.once('close', () => {
      desk.abandon(new WatError('offline', 'the caller is gone'))
      port.outbox.abort(new WatError('offline', 'the caller is gone'))
      resolve()
    })
  })
  void desk.done.then(() => {
    port.outbox.push(exitFrame({ code: 0 }))
    return port.outbox.end()
  })
  return { done: closed, stop, kill: () => void socket.destroy() }
}
