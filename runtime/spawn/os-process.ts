import type { SignalName } from '../ambient.ts'
import type { Readable, Writable } from 'node:stream'
import { WatError } from '../error.ts'
import { socketSource } from '../vm/fd.ts'
import { socketSink } from '../vm/fd-sink.ts'
import type { Sink, Source } from '../wire/pipe.ts'
import { setStreamRef } from '../wire/streams.ts'
import { CHILD_EXITED } from './guard.ts'
import type * as launching from './launch.ts'
import { commandFor, type Seat } from './command-line.ts'
import type { Settings } from './options.ts'
import type { Ended, Flow, Running } from './running.ts'

/**
 * After an exit its pipes end at once, unless something it started holds them. One that stays silent
 * this long is taken as ended.
 */
const SILENCE_MS = 50

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
  readonly #launched: launching.Launched

  /** Starts a program. Rejects with `offline` when the system cannot start it. */
  static async start(settings: Settings, name: string, address: string, seat: Seat): Promise<OsProcess> {
    const { launch } = (launcher ??= await loadLauncher())
    const { args, env } = commandFor(settings, name, address, seat)
    const launched = launch('/bin/sh', args, { cwd: settings.cwd, env })
    const { process: subprocess } = launched
    if (subprocess.pid === undefined) throw await startFailure(launched, address)
    return new OsProcess(launched, subprocess.pid)
  }

  private constructor(launched: launching.Launched, pid: number) {
    this.pid = pid
    this.#launched = launched
    const { lifeline, guard } = launched
    this.stdin = socketSink(launched.stdin)
    this.stdout = socketSource(launched.stdout)
    this.stderr = socketSource(launched.stderr)
    for (const pipe of [lifeline, guard]) {
      pipe.on('error', () => {}) // nobody is there to read it, as in a group that was killed
      setStreamRef(pipe, false)
    }
    this.#setStreamsRef(false)
    this.exited = new Promise(resolve => {
      launched.process.once('exit', (code, signal) => {
        this.hasExited = true
        this.#setStreamsRef(this.#ref)
        // The child is reaped: from here on only its guard may kill what is left of its group.
        guard.end(CHILD_EXITED)
        lifeline.end()
        resolve({ code: code ?? undefined, signal: signal ?? undefined })
      })
    })
  }

  /** Its stdin and stdout as they are, for whoever carries something else over them. */
  get streams(): { readable: Readable; writable: Writable } {
    return { readable: this.#launched.stdout, writable: this.#launched.stdin }
  }

  /** Calls back with what it writes on its lifeline, as a spare does. */
  onLifeline(callback: (text: string) => void): void {
    this.#launched.lifeline.on('data', chunk => callback(String(chunk)))
  }

  /** Nobody will read what it wrote. */
  discard(): void {
    const { stdin, stdout, stderr } = this.#launched
    for (const stream of [stdin, stdout, stderr]) stream.destroy()
  }

  /** Leaves it as the death of this process would: it stops by itself, or its guard kills it. */
  abandon(): void {
    const { stdin, lifeline, guard } = this.#launched
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

  /** Kills it and everything below it. */
  async kill(): Promise<void> {
    if (this.hasExited) return
    const { killProcessTree } = await import('./treekill.ts')
    await killProcessTree(this.pid, () => this.hasExited)
    this.signalGroup('SIGKILL')
  }

  /** Whether waiting for it keeps the event loop alive. */
  setRef(on: boolean): void {
    if (on === this.#ref) return
    this.#ref = on
    const { process } = this.#launched
    // While it lives, its process alone will do; this is called twice for a call that is alone.
    if (this.hasExited) this.#setStreamsRef(on)
    else if (on) process.ref()
    else process.unref()
  }

  #setStreamsRef(on: boolean): void {
    const { stdin, stdout, stderr } = this.#launched
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

let launcher: typeof launching | undefined

/** What spawning needs is loaded behind the requests that have come already: it takes longer than a reply. */
async function loadLauncher(): Promise<typeof launching> {
  await new Promise(resolve => setImmediate(resolve))
  return import('./launch.ts')
}

/** Longer than `SILENCE_MS`, and at least one look at the pipes after it: a busy loop proves nothing. */
function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(() => setImmediate(() => setImmediate(resolve)), SILENCE_MS))
}

async function startFailure({ failure }: launching.Launched, address: string): Promise<WatError> {
  const cause = await failure
  return new WatError('offline', `cannot start a process: ${cause?.message ?? 'no reason given'}`, {
    address,
    cause,
  })
}
