import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** One process as /proc shows it. `kill(pid, 0)` would succeed on a zombie; this tells it apart. */
export interface ProcessInfo {
  pid: number
  ppid: number
  pgid: number
  sid: number
  /** R, S, D, T, Z (a zombie), X … */
  state: string
  /** Changes when the number is given to another process. */
  startTime: string
  command: string
}

/** `undefined` when there is no such process. */
export function info(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold anything, also parentheses and spaces.
    const [state = '', ppid, pgid, sid, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return {
      pid,
      ppid: Number(ppid),
      pgid: Number(pgid),
      sid: Number(sid),
      state,
      startTime: rest[15] ?? '',
      command,
    }
  } catch {
    return undefined
  }
}

/** The state letter of a process; `undefined` when there is none. */
export function state(pid: number): string | undefined {
  return info(pid)?.state
}

/** Whether it runs: neither gone nor a zombie. */
export function alive(pid: number): boolean {
  const letter = state(pid)
  return letter !== undefined && letter !== 'Z' && letter !== 'X'
}

export function all(): ProcessInfo[] {
  return pids().flatMap(pid => info(pid) ?? [])
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

export function childrenOf(pid: number): ProcessInfo[] {
  return all().filter(({ ppid }) => ppid === pid)
}

/** Everything below a process, also what made a session of its own. */
export function descendants(pid: number): ProcessInfo[] {
  const table = all()
  const below = (parent: number): ProcessInfo[] =>
    table.filter(({ ppid }) => ppid === parent).flatMap(child => [child, ...below(child.pid)])
  return below(pid)
}

/** Everything alive that was started with `text` in its environment; nobody below can shake that off. */
export function tagged(text: string): ProcessInfo[] {
  return pids().flatMap(pid => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)) return []
    } catch {
      return [] // gone meanwhile, or not ours
    }
    const found = info(pid)
    return found === undefined || found.state === 'Z' || found.state === 'X' ? [] : [found]
  })
}

/** What the open descriptors of a process point at. */
export function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`
    } catch {
      return []
    }
  })
}

/** Resident memory in MiB. */
export function residentMiB(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4096) / 1024 / 1024
}

/** The most it has had resident so far, in MiB. */
export function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Resolves with the time it took until none of these runs; rejects, naming them, if some still do. */
export async function gone(pids: Iterable<number>, withinMs: number): Promise<number> {
  const started = performance.now()
  const rest = [...pids]
  await until(
    () => !rest.some(alive),
    withinMs,
    () => `still alive: ${describe(rest.filter(alive))}`,
  )
  return performance.now() - started
}

/** The kernel tells nobody but the parent of an end, so this looks again until `condition` holds. */
export async function until(
  condition: () => boolean,
  withinMs: number,
  otherwise: () => string,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(otherwise())
    await delay(10)
  }
}

export function describe(pids: number[]): string {
  return pids.map(pid => `${pid} (${state(pid)}) ${info(pid)?.command ?? 'gone'}`).join('; ')
}
