// What the operating system says about a process: /proc where there is one, else `ps`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** The process group of a process. */
export function pgidOf(pid: number): number {
  return Number(look(pid)?.[1])
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const state = look(pid)?.[0]
  return state !== undefined && !/^[ZX]/.test(state)
}

/** Waits until none of them is alive; resolves with those that still are when the time is over. */
export async function survivors(pids: number[], withinMs: number): Promise<number[]> {
  const end = performance.now() + withinMs
  while (pids.some(isAlive) && performance.now() < end) await pause(10) // nobody tells of a stranger's death
  return pids.filter(isAlive)
}

/** State and process group; `undefined` when there is no such process. */
function look(pid: number): [string, string] | undefined {
  try {
    if (!existsSync('/proc/self/stat')) {
      const [state = '', pgid = ''] = execFileSync('ps', ['-o', 'stat=,pgid=', '-p', `${pid}`])
        .toString()
        .trim()
        .split(/\s+/)
      return [state, pgid]
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', , pgid = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [state, pgid]
  } catch {
    return undefined
  }
}
