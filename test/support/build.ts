import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { globSync } from 'node:fs'
import path from 'node:path'
import { boot, repository } from './machine.ts'

/** The tests run what a user runs, the bundle: it is made anew when the sources are younger. */
export default function build(): void {
  const newest = newestSource()
  const built = statSync(boot, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (built > newest) return
  execFileSync('npx', ['rolldown', '-c'], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Makes the declarations of the package where they are missing or older than the sources. */
export function declarations(): void {
  const [made, newest] = [path.join(repository, 'dist/types/index.d.ts'), newestSource()]
  if ((statSync(made, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: repository, stdio: 'inherit' })
}

function newestSource(): number {
  const sources = globSync('runtime/**/*.ts', { cwd: repository }).map(file => path.join(repository, file))
  return Math.max(...sources.map(file => statSync(file).mtimeMs))
}
