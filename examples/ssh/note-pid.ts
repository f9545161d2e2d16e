// A launcher whose number is known: a shell notes its own, and then becomes the launcher.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { self } from 'wat-vm'

export function notePid(launcher: readonly string[]): { via: string[]; pid: () => number } {
  const folder = mkdtempSync(path.join(tmpdir(), 'wat-'))
  self.onStop(() => rmSync(folder, { recursive: true }))
  const note = path.join(folder, 'pid')
  const via = ['sh', '-c', 'echo $$ >"$0" && exec "$@"', note, ...launcher]
  return { via, pid: () => Number(readFileSync(note, 'utf8')) }
}
