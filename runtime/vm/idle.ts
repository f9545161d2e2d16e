import { every } from '../wire/timers.ts'
import { children } from './children.ts'
import { identity } from './identity.ts'
import { port } from './port.ts'
import { stderrQueued } from './stderr.ts'

/** So often within the grace a program that is done is looked at. */
const LOOKS = 4

/** What waits for a pipe or for shared memory to take more, as Node calls what keeps its event loop alive. */
const WAITS = /^(Simple)?Write(Wrap|Req)$|^Timeout$/

/**
 * What a program has sent to a child keeps it alive for as long as the child takes it. One that takes nothing
 * for half the grace, when nothing else is left to do, is waited for no longer: `end` is called.
 */
export function endWhenUnread(end: () => void): void {
  let before = 0
  let looks = 0
  const look = () => {
    const unread = onlyUnread()
    looks = unread > 0 && unread === before ? looks + 1 : 0
    before = unread
    if (looks < LOOKS / 2) return
    clearInterval(timer)
    end()
  }
  const timer = every(look, identity.stopGraceMs / LOOKS).unref()
}

/** Bytes that children have not taken, when waiting for that is all that keeps this process; else 0. */
function onlyUnread(): number {
  const untaken = [...children].flatMap(child => child.untaken?.() ?? [])
  const bytes = sum(untaken.map(one => one.bytes))
  if (bytes === 0 || port.outbox.queued > 0 || port.peer.outgoing.waits || stderrQueued() > 0) return 0
  const busy = process.getActiveResourcesInfo()
  // What is more is the program's.
  const ours = busy.length <= sum(untaken.map(one => one.waits)) && busy.every(name => WAITS.test(name))
  return ours ? bytes : 0
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
