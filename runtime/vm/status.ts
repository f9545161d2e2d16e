/** Exit codes (docs/process.md, Exits). 128 + n is a death by signal n. */
export const exits = {
  done: 0,
  plainFailed: 1,
  panic: 2,
  notLoaded: 3,
  usage: 64,
  malformed: 65,
  noProgram: 66,
} as const

/** What this process has been through; it decides how it ends. */
export const status = {
  /** The handler of a plain value failed. */
  plainFailed: false,
  /** Something malformed or too large came in. */
  malformedInput: false,
  /** The program's top level, and its default function, have settled. */
  mainSettled: false,
  /** The program asked to be told of a stop. */
  watchesStop: false,
}

/** The exit code of an ordinary end. A program may set its own with `process.exitCode`. */
export function exitCode(): number {
  if (process.exitCode !== undefined && Number(process.exitCode) !== 0) return Number(process.exitCode)
  if (status.malformedInput) return exits.malformed
  return status.plainFailed ? exits.plainFailed : exits.done
}
