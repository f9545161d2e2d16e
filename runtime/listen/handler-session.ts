import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { once } from '../io/once.ts'
import { streamSource } from '../io/streams.ts'
import { identity } from '../vm/identity.ts'
import { reportFault } from '../vm/log.ts'
import { FaultReports } from '../vm/throttle.ts'
import { exitFrame, readyFrame } from '../wire/frames.ts'
import { BASIC_PROTOCOL, PROTOCOL } from '../wire/limits.ts'
import { versionOf } from '../wire/checks.ts'
import { Peer } from '../wire/peer.ts'
import type { Service } from '../wire/service.ts'
import { later } from '../wire/timers.ts'
import { sinkOf } from './connection-pipes.ts'
import type { Session } from './session.ts'

/** Work in flight gets this part of the grace of a stop; then the connection ends without it. */
const WORK_SHARE = 0.5

/** Serves one connection in this process, as `serve` serves the one who holds its pipes. */
export function serveTarget(socket: Socket, service: Service): Session {
  const { address, maxFrame } = identity
  const faults = new FaultReports()
  let cutOff: NodeJS.Timeout | undefined
  let deadline = Infinity
  const stop = (graceMs: number): void => {
    peer.refuse()
    const ms = graceMs * WORK_SHARE
    if (performance.now() + ms >= deadline) return // another one can only shorten the time
    deadline = performance.now() + ms
    clearTimeout(cutOff)
    cutOff = later(finish, ms).unref()
  }
  const peer: Peer = new Peer({
    other: { name: 'the client', address: 'the client' },
    address,
    maxFrame,
    control: { stop, end: true, hello: ({ protocol }) => peer.speak(versionOf(protocol)) },
    onFault: error => faults.report(error),
    onPlainFailed: reportFault,
    onBroken(error) {
      peer.outbox.abort(error)
      peer.settle() // for what it drops
      socket.destroy()
    },
  })
  const finish = once(() => void peer.end(exitFrame({ code: 0 }, maxFrame)))
  peer.open(streamSource(socket), sinkOf(socket))
  peer.outbox.push(readyFrame(address, process.pid, BASIC_PROTOCOL, PROTOCOL))
  peer.serveWith(service)
  const gone = () => new WatError('offline', 'the caller is gone')
  socket.once('end', () => {
    if (peer.endedInOrder) return
    peer.answers.abandon(gone())
    finish() // nobody waits for the rest
  })
  const closed = new Promise<void>(resolve => {
    socket.once('close', () => {
      peer.abort(gone())
      resolve()
    })
  })
  void peer.answers.done.then(finish)
  return { done: closed, stop, kill: () => void socket.destroy() }
}
