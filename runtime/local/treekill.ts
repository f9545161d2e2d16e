import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import treeKill from 'tree-kill'
import { listingWithin } from './listing.ts'

/**
 * tree-kill starts a process for each one that it finds, some 10 ms each. Whoever stops a tree has little
 * time left when it comes to this.
 */
const LISTING_MS = 60

/** What means that a process is gone, and not that this one cannot look. */
const GONE = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM']

/**
 * Sends SIGKILL to a live process and to everything below it, also below children that have made a session
 * of their own. Where there is a /proc it tells, for no process and no module is needed to read it. Elsewhere
 * tree-kill asks `ps` or `pgrep`; what these do not find is left to the guards. `reaped` tells when the number may
 * be somebody else's. Resolves with false when this process has not the means to read /proc.
 */
export async function killProcessTree(pid: number, reaped: () => boolean): Promise<boolean> {
  if (!hasProc()) {
    await listingWithin(LISTING_MS, done => treeKill(pid, 'SIGKILL', () => done()))
    return true
  }
  const table = processTable()
  if (!table) return false
  if (!reaped()) killFrom(table, pid)
  return true
}

/** A /proc that shows another namespace has other numbers for the same processes. No descriptor is needed. */
function hasProc(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid)
  } catch {
    return false
  }
}

function killFrom(table: [pid: number, parent: number][], pid: number): void {
  const childrenOf = new Map<number, number[]>()
  for (const [child, parent] of table) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), child])
  const kill = (root: number) => {
    for (const child of childrenOf.get(root) ?? []) kill(child)
    try {
      process.kill(root, 'SIGKILL')
    } catch {
      // it went by itself
    }
  }
  kill(pid)
}

/** Each process with its parent; `undefined` when that cannot be read, for want of a descriptor or memory. */
function processTable(): [pid: number, parent: number][] | undefined {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => parentOf(Number(name)))
  } catch {
    return undefined
  }
}

function parentOf(pid: number): [number, number][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold anything.
    return [[pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]]
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
