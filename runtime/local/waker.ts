import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { setStreamRef } from '../io/streams.ts'
import { IGNORED } from './guard.ts'

/** A child that has just been started needs the processor more than its waker does. */
const DELAY_MS = 10

/**
 * A guard that was suspended along with its group sees nothing, and the system wakes up no group that is alone in
 * its session. So each process that starts others leaves one small shell outside of all their groups, and tells
 * it which there are. When this process is gone, however it died, the shell wakes them up, and then their
 * guards do the rest.
 */
const WAKER = `
( command trap '' ${IGNORED}; trap - CHLD; (
  exec <&3 3<&- >/dev/null 2>&1
  groups=
  while read -r told; do
    case $told in
      -*)
        left=
        for group in $groups; do [ "-$group" = "$told" ] || left="$left $group"; done
        groups=$left ;;
      *) groups="$groups $told" ;;
    esac
  done
  for group in $groups; do kill -CONT "-$group"; done
) & )
`

const groups = new Set<number>()
let waker: Socket | undefined
let timer: NodeJS.Timeout | undefined

/** When this process dies the group is woken up, until `forget` is called. */
export function wakeAtEnd(group: number): { forget(): void } {
  groups.add(group)
  if (waker) waker.write(`${group}\n`)
  else timer ??= setTimeout(start, DELAY_MS).unref()
  return {
    forget() {
      groups.delete(group)
      waker?.write(`-${group}\n`)
    },
  }
}

/** Without the means to start one there is none; the next child tries again. */
function start(): void {
  timer = undefined
  if (groups.size === 0) return
  let shell: ChildProcess
  try {
    shell = spawn('/bin/sh', ['-c', WAKER], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  } catch {
    return
  }
  shell.on('error', () => {})
  if (shell.pid === undefined) return
  shell.unref()
  const pipe = shell.stdio[3] as Socket // Node closes a stdin when the first shell has ended
  const lost = () => (waker = undefined)
  pipe.on('error', lost).on('close', lost)
  setStreamRef(pipe, false)
  waker = pipe
  for (const group of groups) pipe.write(`${group}\n`)
}
