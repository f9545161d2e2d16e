import type { ResourceLimits, SignalName } from '../ambient.ts'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createChannel, releaseThread, type Channel } from '../channel/index.ts'
import { describe } from '../edn/describe.ts'
import { WatError } from '../error.ts'
import { environment } from '../vm/identity.ts'
import type { ThreadData } from './thread.ts'
import { runFrame } from '../wire/frames.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { RingSink, RingSource } from '../io/ring.ts'
import { assignmentFor } from '../child/assignment.ts'
import { environmentOf } from '../child/environment.ts'
import type { Settings } from '../child/options.ts'
import type { Ended, Flow, Running } from '../child/running.ts'
import { boundEndBy, killStartedBy } from './thread-leftovers.ts'

/** So often the flows of a thread that has ended are looked at. */
const DRAIN_MS = 2

/**
 * A thread that is killed has ended after this time at the latest: one that is in native code runs on until that
 * returns, but nothing of its program runs any more.
 */
const STUCK_MS = 100

/** The rings that are its pipes are as deep as pipes are. */
const PIPE_BYTES = 256 * 1024

interface ThreadSettings {
  resourceLimits: ResourceLimits | undefined
  channels: Record<string, Channel>
}

/** A thread of this process that is a wat-vm. */
export class Thread implements Running {
  readonly pid = process.pid
  readonly greeting: string | undefined
  readonly stdin: Sink
  readonly stdout: Source
  readonly stderr: Source
  readonly exited: Promise<Ended>
  hasExited = false
  readonly #worker: Worker
  readonly #tid: Int32Array
  #killed = false
  #giveUp = () => {}

  /** Starts a program. Rejects with `offline` when the system cannot, and with what `assignmentFor` does. */
  static async start(
    settings: Settings,
    name: string,
    address: string,
    { resourceLimits, channels }: ThreadSettings,
  ): Promise<Thread> {
    const assignment = await assignmentFor(settings, name, address)
    const { program, args } = settings
    const sent = assignment.files !== undefined
    const pipes = [0, 1, 2].map(() => createChannel({ bytes: PIPE_BYTES, readers: 1 }))
    const [stdin, stdout, stderr] = pipes as [Channel, Channel, Channel]
    const tid = new SharedArrayBuffer(4)
    const data: ThreadData = {
      tid,
      pipes: [stdin.buffer, stdout.buffer, stderr.buffer],
      channels: Object.entries(channels).map(([key, { buffer }]) => [key, buffer]),
    }
    try {
      const worker = new Worker(fileURLToPath(new URL('./boot.js', import.meta.url)), {
        argv: ['--', ...(sent || program.kind !== 'file' ? [name] : [String(program.path), ...args])],
        env: {
          ...environmentOf(settings, name, address),
          [environment.thread]: '1',
          ...(sent && { [environment.programSource]: 'sent' }),
        },
        ...(settings.execArgv.length > 0 && { execArgv: [...settings.execArgv] }),
        name: address,
        workerData: data,
        ...(resourceLimits && { resourceLimits }),
      })
      return new Thread(
        worker,
        tid,
        [stdin, stdout, stderr],
        channels,
        sent ? runFrame(assignment) : undefined,
      )
    } catch (cause) {
      throw new WatError('offline', `cannot start a thread: ${(cause as Error).message}`, { address, cause })
    }
  }

  private constructor(
    worker: Worker,
    tid: SharedArrayBuffer,
    [stdin, stdout, stderr]: [Channel, Channel, Channel],
    channels: Record<string, Channel>,
    greeting: string | undefined,
  ) {
    this.#worker = worker
    const cell = new Int32Array(tid)
    this.#tid = cell
    const release = boundEndBy({
      get tid() {
        return Atomics.load(cell, 0)
      },
      end: () => void worker.terminate(),
    })
    this.greeting = greeting
    this.stdin = new RingSink(stdin.writer())
    this.stdout = new RingSource(stdout.reader(), stdout.maxMessage)
    this.stderr = new RingSource(stderr.reader(), stderr.maxMessage)
    let failure: WatError | undefined
    worker.on('error', error => (failure = failureOf(error)))
    this.exited = new Promise(resolve => {
      const { threadId } = worker // it has none any more when it has ended
      const end = (code: number | undefined) => {
        if (this.hasExited) return
        this.hasExited = true
        for (const { buffer } of [stdin, stdout, stderr, ...Object.values(channels)])
          releaseThread(buffer, threadId)
        for (const pipe of [stdout, stderr]) closeUnwritten(pipe)
        resolve(
          this.#killed ? { code: undefined, signal: 'SIGKILL' } : { code, signal: undefined, panic: failure },
        )
      }
      worker.once('exit', code => {
        release()
        end(code)
      })
      this.#giveUp = () => {
        end(undefined)
        worker.unref()
      }
    })
  }

  /** What it wrote lies in memory: each flow ends, or waits for its reader. */
  async drained(flows: Flow[]): Promise<void> {
    while (!flows.every(flow => flow.drained)) await new Promise(resolve => setTimeout(resolve, DRAIN_MS))
  }

  signal(name: SignalName): boolean {
    if (this.hasExited) return false
    if (name === 'SIGKILL') void this.kill()
    else this.#worker.postMessage(name, [])
    return true
  }

  signalGroup(name: SignalName): boolean {
    return this.signal(name)
  }

  async kill(): Promise<void> {
    if (this.hasExited) return
    this.#killed = true
    void this.#worker.terminate()
    killStartedBy(Atomics.load(this.#tid, 0))
    const timer = setTimeout(this.#giveUp, STUCK_MS)
    void this.exited.then(() => clearTimeout(timer))
  }

  setRef(on: boolean): void {
    if (on && !this.hasExited) this.#worker.ref()
    else this.#worker.unref()
  }
}

/** A thread that has died before it had its pipes cannot have closed them. */
function closeUnwritten(pipe: Channel): void {
  try {
    pipe.writer().close()
  } catch {
    // it had them, and what it wrote ends where it ended
  }
}

/** What a thread throws that nobody takes there arrives as it is: anything. */
function failureOf(error: unknown): WatError {
  if (!(error instanceof Error))
    return new WatError('handler', `thrown: ${describe(error)}`, { cause: error })
  const { message, code } = error as NodeJS.ErrnoException
  return new WatError('handler', describe(message), {
    cause: error,
    ...(code !== undefined && { data: { code } }),
  })
}
