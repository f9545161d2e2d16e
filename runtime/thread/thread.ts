import type { SignalName } from '../ambient.ts'
import { readlinkSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openChannel } from '../channel/index.ts'
import { WatError } from '../error.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { RingSink, RingSource } from '../io/ring.ts'
import { giveChannel } from '../vm/channels.ts'
import { identity } from '../vm/identity.ts'
import { stop } from '../vm/lifecycle.ts'
import { CHILD_SHARE } from '../vm/signals.ts'

/** What a thread gets from the one that starts it, in shared memory. */
export interface ThreadData {
  /** For the number that the operating system knows it by. */
  tid: SharedArrayBuffer
  pipes: [stdin: SharedArrayBuffer, stdout: SharedArrayBuffer, stderr: SharedArrayBuffer]
  channels: [name: string, buffer: SharedArrayBuffer][]
}

/** The pipes of this process, which is a thread of another; and the channels it was given. */
export function threadPipes(): { stdin: Source; stdout: Sink; stderr: Sink } {
  const { tid, pipes, channels } = workerData as ThreadData
  Atomics.store(new Int32Array(tid), 0, ownTid())
  const [stdin, stdout, stderr] = pipes.map(buffer => openChannel(buffer))
  for (const [name, buffer] of channels) giveChannel(name, openChannel(buffer))
  listenForSignals()
  return {
    stdin: new RingSource(stdin!.reader(), stdin!.maxMessage),
    stdout: new RingSink(stdout!.writer()),
    stderr: new RingSink(stderr!.writer()),
  }
}

/** 0 where the system does not tell. */
function ownTid(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop())
  } catch {
    return 0
  }
}

/** The system signals only the whole process; what is meant for a thread comes as a message. */
function listenForSignals(): void {
  parentPort?.on('message', (signal: SignalName) => {
    if (!['SIGTERM', 'SIGINT', 'SIGHUP'].includes(signal)) return void process.emit(signal)
    const reason = new WatError('offline', `stopped by ${signal}`)
    stop({ graceMs: identity.stopGraceMs * CHILD_SHARE, reason })
  })
  parentPort?.unref()
}
