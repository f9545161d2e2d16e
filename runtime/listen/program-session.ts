import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { emptySource } from '../io/fd.ts'
import { toFault } from '../edn/fault.ts'
import { exitFrame } from '../wire/frames.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { pump, type Pump } from '../io/pump.ts'
import { streamSource } from '../io/streams.ts'
import { sinkOf, untilEnd } from './connection-pipes.ts'
import type { Session } from './session.ts'
import type { Settings } from '../child/options.ts'
import { Process } from '../child/process.ts'
import type { Running } from '../child/running.ts'
import { startProcess } from '../spawn/start.ts'

/** Serves one connection with a process of its own, whose stdin and stdout the connection carries as they are. */
export function serveProgram(socket: Socket, settings: Settings, name: string): Session {
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  const output = withLastWords(sinkOf(socket))
  let outgoing: Pump | undefined
  const process = new Process(settings, name, async (...place) => {
    const running = await startProcess(...place)
    pump(settings.program.kind === 'command' ? untilEnd(inputOf(socket)) : inputOf(socket), running.stdin)
    outgoing = pump(running.stdout, output.sink)
    return withoutPipes(running, outgoing)
  })
  void closed.then(() => process.stop())
  socket.once('end', () => void process.stop()) // the client is gone: it says so when it only has no more to send
  void process.exited.then(({ code, signal, panic }) => {
    const fault = panic && toFault(panic, process.address)
    output.say(exitFrame({ code, signal, panic: fault }, settings.maxFrame))
    if (outgoing) void outgoing.finish()
    else output.sink.end(() => {})
  })
  return {
    done: Promise.all([process.exited, closed]).then(() => {}),
    stop: () => void process.stop(),
    kill() {
      void process.kill()
      socket.destroy() // the client may be the one who is stuck
    },
  }
}

/** What the process does not take any more is dropped: the connection has still to carry how it ended. */
function inputOf(socket: Socket): Source {
  return { ...streamSource(socket), close: () => void socket.resume() }
}

/** Before its end, `sink` gets what is said last. */
function withLastWords(sink: Sink): { sink: Sink; say(text: string): void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  const end = async (done: () => void): Promise<void> => {
    const text = await promise
    // What came before may have been cut off within a line.
    sink.write([Buffer.from(`\n${text}`)], () => sink.end(done))
  }
  return {
    say: resolve,
    sink: {
      write: (chunks, done) => sink.write(chunks, done),
      writeSync: chunks => sink.writeSync(chunks),
      close: () => sink.close(),
      end: done => void end(done),
    },
  }
}

/** A process whose pipes are somebody else's: it is asked to stop by SIGTERM. */
function withoutPipes(running: Running, outgoing: Pump): Running {
  const stdin: Sink = {
    write: (_chunks, done) => done(),
    writeSync() {},
    end(done) {
      running.signal('SIGTERM')
      done()
    },
    close() {},
  }
  return {
    stdin,
    stdout: emptySource(),
    stderr: running.stderr,
    pid: running.pid,
    exited: running.exited,
    get hasExited() {
      return running.hasExited
    },
    drained: flows => running.drained([...flows, outgoing]),
    signal: name => running.signal(name),
    signalGroup: name => running.signalGroup(name),
    kill: () => running.kill(),
    setRef: on => running.setRef(on),
  }
}
