import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { Desk } from '../vm/desk.ts'
import { identity } from '../vm/identity.ts'
import { Port } from '../vm/port.ts'
import type { Handler } from '../vm/serve.ts'
import { FaultReports } from '../vm/throttle.ts'
import { exitFrame, readyFrame } from '../wire/frames.ts'
import { later } from '../wire/timers.ts'
import { sinkOf } from './connection-pipes.ts'
import { streamSource } from '../io/streams.ts'
import type { Session } from './session.ts'

/** Work in flight gets this part of the grace of a stop; then the connection ends without it. */
const WORK_SHARE = 0.5

/** Serves one connection in this process, as `serve` serves the one who holds its pipes. */
export function serveHandler(socket: Socket, handler: Handler, concurrency: number): Session {
  const port = new Port()
  const faults = new FaultReports()
  const desk = new Desk(handler, concurrency, port)
  const finish = once(() => {
    void port.end(exitFrame({ code: 0 }, identity.maxFrame))
  })
  let cutOff: NodeJS.Timeout | undefined
  let deadline = Infinity
  const stop = (graceMs: number): void => {
    port.refuse()
    desk.refuseWaiting()
    const ms = graceMs * WORK_SHARE
    if (performance.now() + ms >= deadline) return // another one can only shorten the time
    deadline = performance.now() + ms
    clearTimeout(cutOff)
    cutOff = later(finish, ms).unref()
  }
  const abandon = (): void => desk.abandon(new WatError('offline', 'the caller is gone'))
  port.open(streamSource(socket), sinkOf(socket), {
    onStop: stop,
    onRun: () => faults.report(new WatError('malformed', 'a #wat/run frame has no meaning here')),
    onFault: error => faults.report(error),
    onBroken: () => socket.destroy(),
  })
  port.outbox.push(readyFrame(identity.address, process.pid))
  port.serve(desk)
  socket.once('end', () => {
    if (port.endedInOrder) return
    abandon()
    finish() // nobody waits for the rest
  })
  const closed = new Promise<void>(resolve => {
    socket.once('close', () => {
      abandon()
      port.outbox.abort(new WatError('offline', 'the caller is gone'))
      resolve()
    })
  })
  void desk.done.then(finish)
  return { done: closed, stop, kill: () => void socket.destroy() }
}

function once(callback: () => void): () => void {
  let called = false
  return () => {
    if (!called) callback()
    called = true
  }
}
