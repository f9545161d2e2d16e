// Whether a command can be started here: a shim that leads nowhere does not count.
import { spawnSync } from 'node:child_process'

export function isInstalled(command: string): boolean {
  return spawnSync(command, ['-c', '']).status === 0
}
