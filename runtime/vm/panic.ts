import { MAX_CAUSES, programStack, toFault, type FaultMap } from '../edn/fault.ts'
import { passageOf } from '../edn/stack.ts'
import { WatError } from '../error.ts'
import { identity } from './identity.ts'
import { stop } from './lifecycle.ts'
import { port } from './port.ts'
import { exits } from './status.ts'
import { flushStderr, writeRecord } from './stderr.ts'

/**
 * The last words of a process that cannot go on: everything written so far, whole, and a `#wat/panic`
 * record as the last line of stderr; then it exits. All of it blocks, so that no more of a broken
 * program runs. What it started sees its lifeline end and stops by itself.
 */
export function panic(error: unknown, code: number = exits.panic): never {
  // While this blocks on a full pipe a signal must still kill.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.removeAllListeners(signal)
  process.removeAllListeners('exit')
  writeRecord('panic', { ...panicFault(error), pid: process.pid })
  flushStderr()
  port.outbox.flushSync()
  process.exit(code)
}

/**
 * What a process says that dies of an error. If that is the fault of another, it is this process that did not
 * catch it, here; the fault is the cause, or the panic that it tells of.
 */
function panicFault(error: unknown): FaultMap {
  const fault = toFault(error, identity.address)
  try {
    return error instanceof WatError ? uncaught(error, fault) : fault
  } catch {
    return fault // a proxy may throw at any question
  }
}

function uncaught(error: WatError, fault: FaultMap): FaultMap {
  const { address } = identity
  const passage = passageOf(error)
  const culprit = fault.address === address ? passage?.peer : fault.address
  if (typeof culprit !== 'string' || error.address === undefined) return fault
  const stack = passage && programStack(passage.site)
  const words = {
    type: fault.type,
    message: `did not catch a fault of ${culprit}: ${String(fault.message)}`,
    address,
    ...(stack !== undefined && { stack }),
  }
  // A death with a panic is told once, or a chain through n processes would have 2n links.
  if (fault.panic !== undefined) return { ...words, exit: fault.exit, panic: fault.panic }
  return { ...words, cause: passage ? toFault(passage.error, address) : fault }
}

/** The process has ended otherwise in order, but what it wrote last is lost and nobody can be told but by this. */
export function lastWords(lost: WatError): void {
  const { code } = lost.data as { code?: unknown }
  if (code === 'EPIPE' || code === 'ECONNRESET') return // who does not read on has not lost anything
  process.exitCode = exits.panic
  writeRecord('panic', { ...toFault(lost, identity.address), pid: process.pid })
}

/** Every error that nobody catches becomes a panic. */
export function installPanic(code: () => number): void {
  process.on('uncaughtException', error => crash(error, code()))
  process.on('unhandledRejection', reason => crash(reason, code()))
}

/** The end of a program that did not catch an error. That nobody reads its output any more is none. */
export function crash(error: unknown, code: number): void {
  if (port.readerGone && isCausedBy(error, port.outbox.failure)) dieQuietly()
  else panic(error, code)
}

function isCausedBy(error: unknown, cause: unknown): boolean {
  try {
    let link = error
    for (let n = 0; n < MAX_CAUSES && link instanceof Error; n++, link = link.cause)
      if ((passageOf(link)?.error ?? link) === cause) return true
  } catch {
    // an error that cannot be read is the program's own
  }
  return false
}

/** Nobody reads our output any more, as in `| head -1`: that is no error, and SIGPIPE is its exit. */
export function dieQuietly(): void {
  process.on('SIGPIPE', () => {}) // Node ignores it; a listener taken away again leaves the default
  stop({
    graceMs: identity.stopGraceMs,
    signal: 'SIGPIPE',
    reason: new WatError('offline', 'nobody reads the output any more'),
  })
}
