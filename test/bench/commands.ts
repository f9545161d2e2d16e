import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'wat-vm/edn'

/** A plain value whose handler failed has no answer; the fault is on stderr. */
const ANSWER_MS = 120_000

const WAT = fileURLToPath(new URL('../../bin/wat', import.meta.url))

/** What bin/wat finds as `node` is the Node that runs this. */
const env = {
  ...process.env,
  PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
}

/** Starts `wat program`, as a shell would. */
export function startWat(
  program: URL,
  args: string[] = [],
  more: Record<string, string> = {},
): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(WAT, [fileURLToPath(program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, ...more },
  })
}

/** A program under bin/wat that answers plain values, one after the other. */
export class WatProgram {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #gone = new AbortController()

  constructor(program: URL, args: string[] = [], more: Record<string, string> = {}) {
    this.#process = startWat(program, args, more)
    this.#lines = createInterface(this.#process.stdout)
    this.#lines.once('close', () => this.#gone.abort(new Error(`${fileURLToPath(program)} has ended`)))
  }

  async ask<T>(value: unknown): Promise<T> {
    const signal = AbortSignal.any([this.#gone.signal, AbortSignal.timeout(ANSWER_MS)])
    const answer = once(this.#lines, 'line', { signal })
    this.#process.stdin.write(`${stringify(value)}\n`)
    const [line] = (await answer) as [string]
    return parse(line) as T
  }

  /** Ends its input; resolves when it has exited. */
  async end(): Promise<void> {
    const exit = once(this.#process, 'exit')
    this.#process.stdin.end()
    const [code] = (await exit) as [number | null]
    if (code !== 0) throw new Error(`a program of the suite ended with exit code ${String(code)}`)
  }
}

/** A command's whole run, in ms. */
export async function wholeRunMs(file: string, args: string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  const ms = performance.now() - start
  if (code !== 0) throw new Error(`${file} ended with exit code ${String(code)}`)
  return ms
}
