import type { Package } from '../portable/package-files.ts'

/** What a spare writes on its lifeline: it has booted; it has taken the program it was given. */
export const WAITING = 'waiting\n'
export const TAKEN = 'taken\n'

/** The program that a process is given, and all that would have come with a start of its own. */
export interface Assignment {
  /** Its path, or the URL of one of the files that come along. */
  program: string
  /** The program's own files by their URLs, where it comes as text. */
  files?: Map<string, string>
  /** URLs that lead to one of them by way of a symbolic link. */
  links?: Map<string, string>
  /** A `#wat/given` frame follows. */
  given?: boolean
  args: string[]
  /** What is other in its environment than in the spare's own; `null` for a variable that is not set. */
  env: [variable: string, value: string | null][]
  /** Its working directory; `null` for the one it was started in. */
  cwd: string | null
  address: string
  name: string
}

let carried: Package | undefined

/** This process's program, if it came as text; what it starts may be among its files. */
export function carriedPackage(): Package | undefined {
  return carried
}

/** This process has got its program, as text if so. */
export function carry(pkg: Package | undefined): void {
  carried = pkg
}
