import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { openServer } from '../net/server.ts'
import { children, type Child } from '../vm/children.ts'
import { reportFault } from '../vm/log.ts'
import type { ServeOptions } from '../vm/serve.ts'
import { Callable } from '../wire/callable.ts'
import { BASIC_PROTOCOL } from '../wire/limits.ts'
import { serviceOf } from '../wire/service-of.ts'
import { later } from '../wire/timers.ts'
import type { Command } from '../child/program.ts'
import type { Listener, ListenOptions } from './listen-options.ts'
import { resolveOptions, stopGraceOf } from '../child/options.ts'
import { nameFor } from '../child/address.ts'
import { serveTarget } from './handler-session.ts'
import { serveProgram } from './program-session.ts'
import type { Session } from './session.ts'

/** Listens, and serves each connection. See `listen`. */
export async function startListening(
  address: string,
  program: object | string,
  options: ListenOptions,
): Promise<Listener> {
  const { secret, tls, concurrency, lazy, ...spawning } = options
  if ('given' in spawning) throw new WatError('denied', 'given is not for a program that others connect to')
  const stopGraceMs = stopGraceOf(spawning)
  const serve = isProgram(program)
    ? programServer(program, spawning)
    : targetServer(program, { concurrency, lazy })
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

/** What answers by itself is a handler, something that is called, or an object of methods. */
function isProgram(program: object | string): program is string | URL | Command {
  if (typeof program === 'string' || program instanceof URL) return true
  return typeof program === 'object' && !(program instanceof Callable) && 'command' in program
}

function targetServer(target: object, options: ServeOptions): (socket: Socket) => Session {
  serviceOf(target, options) // throws now what it would throw with the first connection
  return socket => serveTarget(socket, serviceOf(target, options))
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
