import type { SignalName } from '../ambient.ts'
import type { Readable, Writable } from 'node:stream'
import { WatError } from '../error.ts'
import { socketSource } from '../io/fd.ts'
import { socketSink } from '../io/fd-sink.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { setStreamRef } from '../io/streams.ts'
import { withTimeout } from '../vm/with-timeout.ts'
import { END_IT, UNGUARDED_EXIT } from './guard.ts'
import type * as ExecModule from './exec.ts'
import { commandFor, type SourceKind } from './command-line.ts'
import { isFolder, missing, NOT_EXECUTABLE, NOT_FOUND } from './missing.ts'
import type { Settings } from '../child/options.ts'
import type { Ended, Flow, Running } from '../child/running.ts'

/**
 * After an exit its pipes end at once, unless something it started holds them. One that stays silent
 * this long is taken as ended.
 */
const SILENCE_MS = 50

/** A guard that is told to kill what is below a process has this long, where this process cannot look there. */
const GUARD_MS = 100

/** A process of the operating system, from its start to its exit, and the only place that signals it. */
export class OsProcess implements Running {
  readonly pid: number
  greeting: string | undefined
  readonly stdin: Sink
  readonly stdout: Source
  readonly stderr: Source
  readonly exited: Promise<Ended>
  hasExited = false
  #ref = true
  readonly #execution: ExecModule.Execution

  /** Starts a program. Rejects with `offline` when the system cannot start it. */
  static async start(
    settings: Settings,
    name: string,
    address: string,
    source: SourceKind,
  ): Promise<OsProcess> {
    try {
      execModule ??= await loadExecModule()
      const { program, cwd } = settings
      const { args, env } = commandFor(settings, name, address, source)
      const execution = await execModule.exec('/bin/sh', args, { cwd, env })
      const why = program.kind === 'command' ? () => missing(program.command, env.PATH, cwd) : undefined
      return new OsProcess(execution, address, why)
    } catch (cause) {
      throw startFailure((cause as Error).message, settings.cwd, address, cause)
    }
  }

  /** `why` tells why the shell in it could not run the command, if that was so. */
  private constructor(
    execution: ExecModule.Execution,
    address: string,
    why: (() => string | undefined) | undefined,
  ) {
    const { pid } = execution
    this.pid = pid
    this.#execution = execution
    const { lifeline, guard } = execution
    this.stdin = socketSink(execution.stdin)
    this.stdout = socketSource(execution.stdout)
    this.stderr = socketSource(execution.stderr)
    for (const pipe of [lifeline, guard]) {
      pipe.on('error', () => {}) // nobody is there to read it, as in a group that was killed
      setStreamRef(pipe, false)
    }
    this.#setStreamsRef(false)
    this.exited = new Promise(resolve => {
      const waking = (execModule as typeof ExecModule).wakeAtEnd(pid)
      let unguarded = false
      guard.once('data', () => (unguarded = true))
      execution.process.once('exit', (code, signal) => {
        this.hasExited = true
        waking.forget()
        this.#setStreamsRef(this.#ref)
        // The child is reaped: from here on only its guard may kill what is left of its group.
        guard.end(END_IT)
        lifeline.end()
        const reason = code === NOT_FOUND || code === NOT_EXECUTABLE ? why?.() : undefined
        const ended: Ended = { code: code ?? undefined, signal: signal ?? undefined }
        if (reason !== undefined) ended.panic = new WatError('offline', reason)
        if (code !== UNGUARDED_EXIT) return resolve(ended)
        // What was written before the exit is read within one turn of the event loop.
        const panic = startFailure('the system cannot start its guard', undefined, address)
        afterTurn(() => resolve(unguarded ? { code: undefined, signal: undefined, panic } : ended))
      })
    })
  }

  /** Its stdin and stdout as they are, for whoever carries something else over them. */
  get streams(): { readable: Readable; writable: Writable } {
    return { readable: this.#execution.stdout, writable: this.#execution.stdin }
  }

  /** Calls back with what it writes on its lifeline, as a spare does. */
  onLifeline(callback: (text: string) => void): void {
    this.#execution.lifeline.on('data', chunk => callback(String(chunk)))
  }

  /** Nobody will read what it wrote. */
  discard(): void {
    const { stdin, stdout, stderr } = this.#execution
    for (const stream of [stdin, stdout, stderr]) stream.destroy()
  }

  /** Leaves it as the death of this process would: it stops by itself, or its guard kills it. */
  abandon(): void {
    const { stdin, lifeline, guard } = this.#execution
    for (const pipe of [lifeline, guard, stdin]) pipe.end()
  }

  /** Resolves when what it wrote before its exit has been read. */
  async drained(flows: Flow[]): Promise<void> {
    const total = () => flows.reduce((sum, flow) => sum + flow.received, 0)
    let before = -1
    while (!flows.every(flow => flow.drained) && (flows.some(flow => flow.blocked) || total() !== before)) {
      before = total()
      await pause()
    }
  }

  /** Signals the process itself; false when it is gone. Its number is still its own: it is not reaped. */
  signal(name: SignalName): boolean {
    return this.#send(this.pid, name)
  }

  /** Signals its process group; false when it is gone. */
  signalGroup(name: SignalName): boolean {
    return this.#send(-this.pid, name)
  }

  /**
   * Kills it and everything below it. Where this process has nothing left to look below it with, its guard
   * does, which has descriptors of its own.
   */
  async kill(): Promise<void> {
    if (this.hasExited) return
    const { killProcessTree } = execModule as typeof ExecModule // it has started this process
    if (!(await killProcessTree(this.pid, () => this.hasExited))) {
      this.#execution.guard.write(END_IT)
      await withTimeout(this.exited, GUARD_MS)
    }
    this.signalGroup('SIGKILL')
  }

  /** Whether waiting for it keeps the event loop alive. */
  setRef(on: boolean): void {
    if (on === this.#ref) return
    this.#ref = on
    const { process } = this.#execution
    // While it lives, its process alone will do; this is called twice for a call that is alone.
    if (this.hasExited) this.#setStreamsRef(on)
    else if (on) process.ref()
    else process.unref()
  }

  #setStreamsRef(on: boolean): void {
    const { stdin, stdout, stderr } = this.#execution
    for (const stream of [stdin, stdout, stderr]) setStreamRef(stream, on)
  }

  #send(target: number, name: SignalName): boolean {
    if (this.hasExited) return false
    try {
      return process.kill(target, name)
    } catch {
      return false // gone, and its exit is on its way to us
    }
  }
}

let execModule: typeof ExecModule | undefined

/** What spawning needs is loaded behind the requests that have come already: it takes longer than a reply. */
async function loadExecModule(): Promise<typeof ExecModule> {
  await new Promise(resolve => setImmediate(resolve))
  return import('./exec.ts')
}

/** Longer than `SILENCE_MS`, and at least one look at the pipes after it: a busy loop proves nothing. */
function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(() => afterTurn(resolve), SILENCE_MS))
}

function afterTurn(callback: () => void): void {
  setImmediate(() => setImmediate(callback))
}

function startFailure(why: string, cwd: string | undefined, address: string, cause?: unknown): WatError {
  // The system says the same of a missing folder as of a missing shell.
  const folder = cwd !== undefined && !isFolder(cwd) ? `no such working directory: ${cwd}` : undefined
  return new WatError('offline', folder ?? `cannot start a process: ${why}`, {
    address,
    ...(cause !== undefined && { cause }),
  })
}
