import { stringify } from '../edn/index.ts'
import type { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import { fdSink } from '../io/fd-sink.ts'
import { fdSource, kindOf, ownDescription } from '../io/fd.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { tellWaiting } from '../vm/hint.ts'
import { identity } from '../vm/identity.ts'
import { stop } from '../vm/lifecycle.ts'
import { dieQuietly, panic } from '../vm/panic.ts'
import { port } from '../vm/port.ts'
import { status } from '../vm/status.ts'
import { FaultReports } from '../vm/throttle.ts'
import { writeValue } from '../wire/frames.ts'
import type { ProgramSource } from './program-source.ts'

/** Where the wrapper puts the protocol, out of the reach of console output (bin/wat, local/guard.ts). */
export const STDIN = 3
export const STDOUT = 4
export const STDERR = 2

interface Pipes {
  stdin: Source
  stdout: Sink
}

export function ownPipes(): Pipes {
  const [stdin, stdout] = [kindOf(STDIN), kindOf(STDOUT)]
  const own = identity.role === 'root' ? ownDescription : (fd: number) => fd
  return {
    stdin: fdSource(own(STDIN, stdin, 'read'), stdin),
    stdout: fdSink(own(STDOUT, stdout, 'write'), stdout),
  }
}

export function openPort({ stdin, stdout }: Pipes, pretty: boolean, source: ProgramSource | undefined): void {
  if (pretty) port.writeValuesWith(writePretty)
  port.open(stdin, stdout, {
    stop: graceMs =>
      stop({ graceMs, reason: new WatError('offline', 'the parent asked for a stop'), asked: true }),
    run(info) {
      if (!source?.assign(info)) throw new WatError('malformed', 'a #wat/run frame has no meaning here')
    },
    onFault,
    onWaiting: () => tellWaiting(STDIN, STDERR),
    onBroken(error, silently) {
      if (port.readerGone) dieQuietly()
      else if (port.serving || silently) panic(error)
    },
  })
}

const faults = new FaultReports()

function onFault(error: WatError): void {
  status.malformedInput = true
  faults.report(error)
}

/** End of input on the lifeline is the death of the parent, however it died. */
export function watchLifeline(fd: number): void {
  const lifeline = fdSource(fd, 'socket')
  lifeline.open(
    () => {},
    () => {
      const reason = new WatError('offline', 'the parent is gone')
      port.peer.answers.abandon(reason)
      stop({ graceMs: identity.stopGraceMs, reason })
    },
  )
  lifeline.resume()
}

function writePretty(out: Out, id: number, value: unknown): void {
  const start = out.length
  writeValue(out, id, value) // refuses what may not be sent
  out.length = start
  out.text(`${stringify(value, { pretty: true })}\n`)
}
