import type { SignalName } from '../ambient.ts'
import fs from 'node:fs'
import { WatError } from '../error.ts'
import { children } from './children.ts'
import { identity } from './identity.ts'
import { dieOf, stop } from './lifecycle.ts'
import { withTimeout } from './with-timeout.ts'

/** How long a forced end waits until the kills below it have been sent. */
const KILL_MS = 500

/** A child gets SIGTERM from its parent when part of the grace has gone by already. */
export const CHILD_SHARE = 0.4

/**
 * SIGTERM, SIGINT and SIGHUP stop this process and its subtree; a second SIGINT kills them at once. `guardFd` is
 * the pipe of a guard that sees to it while the event loop is stuck: a program that takes SIGINT over is left alone.
 */
export function installSignals(guardFd: number | undefined): void {
  let interrupted = false
  const onSignal = (signal: SignalName) => {
    if (signal === 'SIGINT' && interrupted) return void killNow()
    if (signal === 'SIGINT') interrupted = true
    const graceMs = identity.role === 'child' ? identity.stopGraceMs * CHILD_SHARE : identity.stopGraceMs
    stop({ graceMs, signal, reason: new WatError('offline', `stopped by ${signal}`) })
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal)
  if (guardFd !== undefined) leaveGuard(guardFd, onSignal)
  installSuspension()
}

function leaveGuard(fd: number, ours: unknown): void {
  process.on('removeListener', function leave(signal, listener) {
    if (signal !== 'SIGINT' || listener !== ours) return
    process.off('removeListener', leave)
    fs.closeSync(fd)
  })
}

/**
 * Ctrl-Z reaches only the root: what it starts has a session of its own. Each process passes it on and
 * then stops itself, by SIGSTOP, because the system ignores a SIGTSTP that nobody could take back. The
 * guards stay awake: they end what is suspended when its parent dies.
 */
function installSuspension(): void {
  process.on('SIGTSTP', () => {
    for (const child of children) child.signal('SIGTSTP')
    process.kill(process.pid, 'SIGSTOP')
  })
  process.on('SIGCONT', () => {
    for (const child of children) child.signal('SIGCONT')
  })
}

async function killNow(): Promise<void> {
  const killed = Promise.all([...children].map(child => child.killTree()))
  await withTimeout(killed, KILL_MS)
  dieOf('SIGINT')
  process.exit()
}
