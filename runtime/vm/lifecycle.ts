import type { GlobalSignal, SignalName } from '../ambient.ts'
import { WatError } from '../error.ts'
import { children } from './children.ts'
import { identity } from './identity.ts'
import { reportFault } from './log.ts'
import { delayMs, later } from '../wire/timers.ts'
import { withTimeout } from './with-timeout.ts'
import { port } from './port.ts'
import { exitCode, status } from './status.ts'

/** Of the time that is left, what stays with this process when it passes the rest to its children. */
const RESERVE_SHARE = 0.2
const RESERVE_MOST_MS = 500
/** Killing a child, the hooks and the last writes take time that does not shrink with the grace. */
const RESERVE_LEAST_MS = 150

/** What work in flight gets of it while there are children that it may hang on. */
const WORK_SHARE = 0.25

interface Stop {
  graceMs: number
  /** The signal to die of in the end, so that whoever waits for this process sees it. */
  signal?: SignalName
  /** Why, for `self.signal.reason`. */
  reason: WatError
  /** Whether the parent asked for it and gave the time: then its SIGTERM, which follows, changes nothing. */
  asked?: boolean
}

const controller = new AbortController()
const hooks: (() => unknown)[] = []
let deadline = Infinity
let cutOff: NodeJS.Timeout | undefined
let stopping = false
let asked = false
let finalSignal: SignalName | undefined
let mainDone = () => {}

/** Resolves when the program's top level has settled. */
export const whenMainSettled = new Promise<void>(resolve => (mainDone = resolve))

/** `self.signal`: aborts when this process is asked to stop, or ends. */
export const stopSignal: GlobalSignal = controller.signal

/** Runs `hook` once, during a graceful end of this process, after its children have stopped. */
export function onStop(hook: () => unknown): void {
  if (typeof hook !== 'function') throw new TypeError('onStop takes a function')
  status.watchesStop = true
  hooks.push(hook)
}

/** The program's top level has settled. */
export function mainSettled(): void {
  status.mainSettled = true
  mainDone()
}

export function isStopping(): boolean {
  return stopping
}

/** Milliseconds left of a stop; the whole grace while none is under way. */
export function remainingMs(): number {
  return stopping ? Math.max(0, deadline - performance.now()) : identity.stopGraceMs
}

/** The part of the time left that a child may use. */
export function childGraceMs(): number {
  const left = remainingMs()
  return Math.max(0, left - reserve(left))
}

/**
 * Ends this process in order: abort `self.signal`, take no new work, finish what is in flight, stop the
 * children, run the hooks, write everything, exit. Whatever hangs is cut off at the deadline. A later
 * request can bring the deadline nearer, unless the parent has set it: the SIGTERM with which its ladder
 * goes on must not cut short what it gave time for.
 */
export function stop({ graceMs, signal, reason, asked: byParent = false }: Stop): void {
  const sooner = performance.now() + delayMs(graceMs)
  if (sooner < deadline && (byParent || !asked)) {
    asked = byParent
    deadline = sooner
    // Holds the event loop too: what the stop waits for may not.
    clearTimeout(cutOff)
    cutOff = later(() => performance.now() >= deadline - 1 && finish(), graceMs)
  }
  if (stopping) return
  stopping = true
  finalSignal = signal
  controller.abort(reason)
  void end().then(finish, reportFault)
}

/** An ordinary end: nothing keeps the process busy any more. */
export function endOfProgram(): void {
  stop({ graceMs: identity.stopGraceMs, reason: new WatError('offline', 'the program has ended') })
}

async function end(): Promise<void> {
  await finishWork()
  const left = childGraceMs()
  await Promise.all([...children].map(child => child.stopWithin(left)))
  await runHooks()
  await port.peer.end()
}

/** In-flight work may hang on a child that is stuck: while there are children it gets a part of the time. */
async function finishWork(): Promise<void> {
  const wasReading = port.serving || port.stdin.wanted
  port.peer.refuse()
  const left = remainingMs()
  const share = children.size > 0 ? left * WORK_SHARE : left - reserve(left)
  const work: Promise<unknown>[] = []
  if (port.serving) work.push(port.peer.answers.done)
  // The end of its input lets the top level go on: what it does then is work in flight too.
  if (wasReading && !status.mainSettled) work.push(whenMainSettled)
  await withTimeout(Promise.all(work), share)
}

async function runHooks(): Promise<void> {
  for (const hook of hooks.splice(0).reverse()) {
    try {
      await hook()
    } catch (error) {
      reportFault(error)
    }
  }
}

function finish(): void {
  for (const child of children) child.killGroup()
  if (finalSignal && !identity.thread) dieOf(finalSignal)
  process.exit(exitCode())
}

/** Dies of the signal itself, so that the shell sees it; returns only where that is impossible (PID 1). */
export function dieOf(signal: SignalName): void {
  process.exitCode = 128 + process.getBuiltinModule('node:os').constants.signals[signal]
  process.emit('exit', Number(process.exitCode)) // last writes; a death by signal runs no exit handlers
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

function reserve(leftMs: number): number {
  const least = Math.min(RESERVE_LEAST_MS, leftMs / 2)
  return Math.min(RESERVE_MOST_MS, Math.max(least, leftMs * RESERVE_SHARE))
}
