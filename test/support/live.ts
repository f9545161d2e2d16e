import type { ChildProcess } from 'node:child_process'
import { Readable } from 'node:stream'
import { Lines } from './lines.ts'

/** How a process ended, and all it wrote. */
export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A process that a test has started and talks to. */
export class Live {
  readonly stdout: Lines
  readonly stderr: Lines
  /** Resolves when it has ended and its pipes have been read. */
  readonly ended: Promise<Outcome>
  readonly #process: ChildProcess

  constructor(child: ChildProcess) {
    this.#process = child
    this.stdout = new Lines(child.stdout ?? Readable.from([]))
    this.stderr = new Lines(child.stderr ?? Readable.from([]))
    child.stdin?.on('error', () => {}) // it may end without reading
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout.text, stderr: this.stderr.text })
      })
    })
    this.ended.catch(() => {}) // whoever awaits it learns of it
  }

  get pid(): number {
    return this.#process.pid as number
  }

  write(input: string | Uint8Array): void {
    this.#process.stdin?.write(input)
  }

  /** Writes, and waits until the pipe has taken it. */
  writeAll(input: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#process.stdin?.write(input, error => (error ? reject(error) : resolve()))
    })
  }

  /** Gives it the last input and waits for its end. */
  end(input: string | Uint8Array = ''): Promise<Outcome> {
    this.#process.stdin?.end(input)
    return this.ended
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Is a reader that does something else for a while. */
  pauseReading(pipe: 'stdout' | 'stderr' = 'stdout'): void {
    this.#process[pipe]?.pause()
  }

  resumeReading(pipe: 'stdout' | 'stderr' = 'stdout'): void {
    this.#process[pipe]?.resume()
  }
}
