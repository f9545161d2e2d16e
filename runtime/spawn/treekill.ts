import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import treeKill from 'tree-kill'

/** Reading the process table takes tens of ms; on a machine so loaded that it takes longer, go on without. */
const TABLE_MS = 400

/**
 * Sends SIGKILL to a live process and to everything below it, also below children that have made a
 * session of their own. tree-kill reads the process table with `ps` and crashes where that is missing:
 * there, only the group is killed, and the guards of what is below it do the rest.
 */
export async function killProcessTree(pid: number): Promise<void> {
  if (!hasPs()) return
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
