import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import treeKill from 'tree-kill'

/** Reading the process table takes tens of ms; on a machine so loaded that it takes longer, go on without. */
const TABLE_MS = 1500

/**
 * Sends SIGKILL to a live process and to everything below it, also below children that have made a
 * session of their own. tree-kill reads the process table with `ps` and crashes where that is missing:
 * there /proc tells, and where there is none either, only the group is killed and the guards of what is
 * below it do the rest.
 */
export async function killProcessTree(pid: number): Promise<void> {
  if (!hasPs()) return killFromProc(pid)
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, TABLE_MS)
    treeKill(pid, 'SIGKILL', () => {
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
