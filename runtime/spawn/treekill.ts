import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import treeKill from 'tree-kill'
import { later } from '../wire/timers.ts'

/**
 * tree-kill runs `ps` once for every process it finds, some 10 ms each. Whoever stops a tree has little
 * time left when it comes to this: what takes longer is done through /proc.
 */
const TABLE_MS = 60

/**
 * Sends SIGKILL to a live process and to everything below it, also below children that have made a
 * session of their own. tree-kill reads the process table with `ps` and crashes where that is missing:
 * there /proc tells, and where there is none either, only the group is killed and the guards of what is
 * below it do the rest. `reaped` tells when the number may be somebody else's.
 */
export async function killProcessTree(pid: number, reaped: () => boolean): Promise<void> {
  if (hasPs()) await within(TABLE_MS, done => treeKill(pid, 'SIGKILL', done))
  if (!reaped()) killFromProc(pid)
}

function within(ms: number, start: (done: () => void) => void): Promise<void> {
  return new Promise(resolve => {
    const timer = later(resolve, ms)
    start(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function hasPs(): boolean {
  return (process.env.PATH ?? '').split(path.delimiter).some(folder => {
    try {
      accessSync(path.join(folder, 'ps'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function killFromProc(pid: number): void {
  const childrenOf = new Map<number, number[]>()
  for (const [child, parent] of processTable()) {
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), child])
  }
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

/** Each process with its parent; empty where the system has no /proc. */
function processTable(): [pid: number, parent: number][] {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => parentOf(Number(name)))
  } catch {
    return []
  }
}

function parentOf(pid: number): [number, number][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold anything.
    return [[pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]]
  } catch {
    return [] // gone meanwhile
  }
}
