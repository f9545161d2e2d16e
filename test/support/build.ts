import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { globSync } from 'node:fs'
import path from 'node:path'
import { boot, repository } from './machine.ts'

/** The tests run what a user runs, the bundle: it is made anew when the sources are younger. */
export default function build(): void {
  const sources = globSync('runtime/**/*.ts', { cwd: repository }).map(file => path.join(repository, file))
  const newest = Math.max(...sources.map(file => statSync(file).mtimeMs))
  const built = statSync(boot, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (built > newest) return
  execFileSync('npx', ['rolldown', '-c'], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] })
}
