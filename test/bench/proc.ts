import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Proportional set size: memory shared with others counts by its share. In MiB. */
export function pssMiB(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024
}

/** Resident memory in MiB; 0 for a process that is gone. */
export function residentMiB(pid: number): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1024 ** 2
  } catch {
    return 0
  }
}

/** The processes of a group, its guard included. */
export function groupOf(pgid: number): number[] {
  return pids().filter(pid => statOf(pid)?.[2] === String(pgid))
}

/** Everything alive that was started with `text` in its environment, which nobody below can shake off. */
export function tagged(text: string): number[] {
  return pids().filter(pid => {
    try {
      return statOf(pid)?.[0] !== 'Z' && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
    } catch {
      return false // gone meanwhile, or not ours
    }
  })
}

/** How many of those are still there when they have had a while to go. */
export async function survivors(text: string, withinMs: number): Promise<number> {
  const deadline = performance.now() + withinMs
  while (tagged(text).length > 0 && performance.now() < deadline) await delay(50)
  return tagged(text).length
}

export function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sh'
  } catch {
    return false
  }
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

/** From the state on: state, parent, group … The name before it may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
