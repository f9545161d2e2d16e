import { spawn, type StdioOptions } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'vitest'
import { parseAll } from '../../runtime/edn/index.ts'
import { Live, type Outcome } from './live.ts'
import { searchPath, wat } from './machine.ts'
import { describe as named, tagged, until } from './proc.ts'

export { describe, expect } from 'vitest'

/** Who survives the death of its parent has `stopGrace` + 1 s; the rest is for a busy machine. */
const SURVIVAL_MS = 8000

export interface Settings {
  /** All that it reads; an empty input unless given. */
  input?: string | Uint8Array
  /** The program's arguments. */
  args?: string[]
  /** Options of wat itself, before the program. */
  options?: string[]
  env?: Record<string, string | undefined>
  cwd?: string
  stdio?: StdioOptions
}

/** One test's workplace: its programs, its processes, and the proof that none of them survives it. */
export class Lab {
  readonly #tagName = 'PROCESS_TEST_TAG'
  readonly #tag = randomUUID()
  readonly #folders: string[] = []

  /** Runs a program to its end. */
  run(program: string, settings: Settings = {}): Promise<Outcome> {
    return this.start(program, settings).end(settings.input)
  }

  /** Starts a program, to talk to it. */
  start(program: string, settings: Settings = {}): Live {
    const { options = [], args = [] } = settings
    return this.command(wat, [...options, program, ...args], settings)
  }

  /** The values that a program prints; fails unless it exits with 0. */
  async facts<T = any>(program: string, settings: Settings = {}): Promise<T[]> {
    const outcome = await this.run(program, settings)
    if (outcome.code === 0) return parseAll(outcome.stdout) as T[]
    throw new Error(
      `exit ${outcome.code} ${outcome.signal}\n${outcome.stderr}\n${outcome.stdout.slice(0, 2000)}`,
    )
  }

  /** Runs a line of POSIX shell that finds `wat` in its PATH, and the arguments as `$1` and so on. */
  sh(script: string, settings: Settings = {}): Promise<Outcome> {
    return this.command('sh', ['-c', script, 'sh', ...(settings.args ?? [])], settings).end(settings.input)
  }

  /** Starts any command. */
  command(file: string, args: string[], settings: Settings = {}): Live {
    const { cwd, stdio = 'pipe' } = settings
    return new Live(spawn(file, args, { stdio, cwd, env: this.env(settings.env) }))
  }

  env(more: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
    const found = `${searchPath}${path.delimiter}${path.dirname(wat)}`
    const env: NodeJS.ProcessEnv = { ...process.env, PATH: found, [this.#tagName]: this.#tag }
    // What vitest tells its own workers is none of a program's business, nor where these tests run.
    const ours =
      /^(CI|VITEST.*|TINYPOOL.*|NODE_ENV|NODE_OPTIONS|FORCE_COLOR|NO_COLOR|TEST|PROD|DEV|MODE|SSR|BASE_URL)$/
    for (const key of Object.keys(env)) if (ours.test(key)) delete env[key]
    return { ...env, ...more }
  }

  /** A folder outside the repository, with no node_modules near it. */
  folder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'wat-test-'))
    this.#folders.push(folder)
    return folder
  }

  /** Writes a program, or several files, into a folder of their own; gives the path of the first. */
  program(files: string | Record<string, string>): string {
    const folder = this.folder()
    const list = Object.entries(typeof files === 'string' ? { 'program.ts': files } : files)
    for (const [name, source] of list) {
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
      writeFileSync(path.join(folder, name), source)
    }
    return path.join(folder, list[0]?.[0] ?? '')
  }

  /** Everything alive that this test has started, directly or not. */
  survivors(): number[] {
    return tagged(`${this.#tagName}=${this.#tag}`).map(({ pid }) => pid)
  }

  async noSurvivors(withinMs = SURVIVAL_MS): Promise<void> {
    await until(
      () => this.survivors().length === 0,
      withinMs,
      () => `processes survive: ${named(this.survivors())}`,
    )
  }

  async close(failed: boolean): Promise<void> {
    try {
      if (!failed) await this.noSurvivors()
    } finally {
      for (const pid of this.survivors()) kill(pid)
      for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** A test with a lab of its own. After it, no process that it started may be alive. */
export const it = test.extend<{ lab: Lab }>({
  lab: async ({ task }, use) => {
    const lab = new Lab()
    await use(lab)
    await lab.close(task.result?.state === 'fail')
  },
})

/** The source of a program, as it stands. */
export const ts = String.raw

/** For the source of a program: `told(promise)` is its value, or its rejection as EDN can carry it. */
export const told = ts`
const told = (promise: Promise<any>) => promise.then(
  value => ({ value }),
  error => ({ code: error.code, message: error.message, address: error.address, data: error.data }),
)`

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone meanwhile
  }
}
