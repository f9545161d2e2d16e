import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { openServer } from '../net/server.ts'
import { children, type Child } from '../vm/children.ts'
import { reportFault } from '../vm/log.ts'
import type { Handler } from '../vm/serve.ts'
import { BASIC_PROTOCOL, DEFAULT_CONCURRENCY } from '../wire/limits.ts'
import { later } from '../wire/timers.ts'
import type { Command } from '../child/program.ts'
import type { Listener, ListenOptions } from './listen-options.ts'
import { resolveOptions, stopGraceOf } from '../child/options.ts'
import { nameFor } from '../child/address.ts'
import { serveHandler } from './handler-session.ts'
import { serveProgram } from './program-session.ts'
import type { Session } from './session.ts'

/** Listens, and serves each connection. See `listen`. */
export async function startListening(
  address: string,
  program: Handler | string | URL | Command,
  options: ListenOptions,
): Promise<Listener> {
  const { secret, tls, concurrency = DEFAULT_CONCURRENCY, ...spawning } = options
  if (!(concurrency >= 1)) throw new WatError('denied', 'concurrency is a number of at least 1')
  const stopGraceMs = stopGraceOf(spawning)
  const serve =
    typeof program === 'function' ? handlerServer(program, concurrency) : programServer(program, spawning)
  const sessions = new Set<Session>()
  const server = await openServer(address, {
    secret,
    ...(tls && { tls }),
    onError: reportFault,
    onConnection(socket) {
      const session = serve(socket as Socket)
      sessions.add(session)
      void session.done.then(() => sessions.delete(session))
    },
  })
  const stop = async (graceMs: number) => {
    await server.close()
    for (const session of sessions) session.stop(graceMs)
    const timer = later(() => sessions.forEach(session => session.kill()), graceMs)
    await Promise.all([...sessions].map(session => session.done))
    clearTimeout(timer)
    children.delete(child)
  }
  const child: Child = {
    stopWithin: stop,
    killTree: async () => sessions.forEach(session => session.kill()),
    signal() {},
    killGroup: () => sessions.forEach(session => session.kill()),
  }
  children.add(child)
  const close = () => stop(stopGraceMs)
  return { address: server.address, close, [Symbol.asyncDispose]: close }
}

function handlerServer(handler: Handler, concurrency: number): (socket: Socket) => Session {
  return socket => serveHandler(socket, handler, concurrency)
}

function programServer(program: string | URL | Command, options: ListenOptions): (socket: Socket) => Session {
  // What makes no sense is said now. Which version a client speaks, it tells the process itself.
  const settings = { ...resolveOptions(program, options), protocol: BASIC_PROTOCOL }
  if (options.stderr === 'pipe') {
    throw new WatError('denied', 'nobody could take the stderr of what `listen` starts: it is relayed')
  }
  const name = nameFor(settings.program.label, options.name)
  return socket => serveProgram(socket, settings, name)
}
