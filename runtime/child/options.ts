import type { GlobalURL } from '../ambient.ts'
import { fileURLToPath } from 'node:url'
import { describe } from '../edn/describe.ts'
import { WatError } from '../error.ts'
import { identity } from '../vm/identity.ts'
import { isPlainMap } from '../wire/checks.ts'
import { DEFAULT_SILENCE_MS, LEAST_SILENCE_MS, PROTOCOL } from '../wire/limits.ts'
import { delayMs } from '../wire/timers.ts'
import { parseProgram, type ParsedProgram, type Program, type Connected } from './program.ts'

/** How `spawnProcess` starts a program. Everything has a default. */
export interface SpawnOptions<C = any> {
  /**
   * What it is called in its address. Default: the program's file name without its extension, or the name of
   * the function or of the command.
   */
  name?: string | undefined
  /**
   * EDN values and references, by name: what the program finds in `self.given` before its first line runs, and a
   * function also as its second argument. Sent over its stdin.
   */
  given?: C
  /** Its `self.args`. */
  args?: readonly string[] | undefined
  /** Added to this process's environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined> | undefined
  /** Its working directory. Default: this process's. */
  cwd?: string | GlobalURL | undefined
  /** Milliseconds a graceful stop of it and everything below it may take. Default: this process's own, 5000 for a root. */
  stopGrace?: number | undefined
  /** The largest form, in bytes, either side takes. Default 16 MiB. */
  maxFrame?: number | undefined
  /** How many calls may be in flight; more wait for a place. Default 256. */
  maxInFlight?: number | undefined
  /** Options for Node itself, such as `--max-old-space-size=64`. */
  execArgv?: readonly string[] | undefined
  /**
   * What becomes of its stderr: `'relay'` passes its records on to this process's stderr, `'pipe'`
   * gives them to the receiver `Process.stderr`. Default `'relay'`.
   */
  stderr?: 'relay' | 'pipe' | undefined
  /**
   * A command that forwards stdin and stdout to another place, as `['ssh', 'host']`, `['docker', 'exec', '-i',
   * 'c']` or `['kubectl', 'exec', '-i', 'pod', '--']` do: the program runs there. The place needs `wat` in its
   * PATH. Environment and working directory are those of that place, but for `env` and `cwd`.
   */
  via?: readonly string[] | undefined
  /**
   * Elsewhere than on this host: whether the program is sent, with those of its own files that it imports,
   * or is a path of that place already. Default true. A function is always sent.
   */
  send?: boolean | undefined
  /** Elsewhere than on this host: milliseconds of silence after which the connection counts as lost. Default 10000. */
  silence?: number | undefined
}

/** The options with every default in place, checked. */
export interface Settings {
  program: ParsedProgram
  given: object | undefined
  args: readonly string[]
  env: Record<string, string | undefined>
  cwd: string | undefined
  stopGraceMs: number
  maxFrame: number
  maxInFlight: number | undefined
  execArgv: readonly string[]
  relay: boolean
  via: readonly string[]
  send: boolean
  silenceMs: number
  /** The version of the protocol that it is told its parent speaks. */
  protocol: number
}

/** Throws `denied` for options that make no sense. A bad program is not among them: its `ready` rejects. */
export function resolveOptions(program: Program | Connected, options: SpawnOptions): Settings {
  const parsed = parseProgram(program)
  if (options.stderr !== undefined && options.stderr !== 'relay' && options.stderr !== 'pipe') {
    throw new WatError('denied', "stderr is 'relay' or 'pipe'", {
      data: { stderr: describe(options.stderr) },
    })
  }
  if ('captures' in options) throw new WatError('denied', 'captures are called given')
  return {
    program: parsed,
    given: givenBy(options),
    args: list('args', options.args),
    env: options.env ?? {},
    cwd: options.cwd instanceof URL ? fileURLToPath(options.cwd) : options.cwd,
    stopGraceMs: stopGraceOf(options),
    maxFrame: number('maxFrame', options.maxFrame, 1) ?? identity.maxFrame,
    maxInFlight: number('maxInFlight', options.maxInFlight, 1),
    execArgv: list('execArgv', options.execArgv),
    relay: options.stderr !== 'pipe',
    via: list('via', options.via),
    send: options.send ?? true,
    silenceMs: delayMs(number('silence', options.silence, LEAST_SILENCE_MS) ?? DEFAULT_SILENCE_MS),
    protocol: PROTOCOL,
  }
}

/** Milliseconds that a stop may take. Throws `denied` for what is no number of them. */
export function stopGraceOf({ stopGrace }: SpawnOptions): number {
  return delayMs(number('stopGrace', stopGrace, 0) ?? identity.stopGraceMs)
}

function givenBy({ given }: SpawnOptions): object | undefined {
  if (given === undefined || isPlainMap(given)) return given
  throw new WatError('denied', 'given is an object of values and references, by name', {
    data: { given: describe(given) },
  })
}

function list(name: string, value: readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value.map(String)
  throw new WatError('denied', `${name} is a list of strings`, { data: { [name]: describe(value) } })
}

function number(name: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (typeof value === 'number' && value >= least)) return value
  throw new WatError('denied', `${name} is a number of at least ${least}`, {
    data: { [name]: describe(value) },
  })
}
