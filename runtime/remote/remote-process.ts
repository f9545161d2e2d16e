import { describe } from '../edn/describe.ts'
import type { SignalName } from '../ambient.ts'
import { WatError } from '../error.ts'
import { CONTROL_PROTOCOL, sayKill, sayLaunch, saySignal, toControl, type Launch } from './control.ts'
import { Mux, lanes, type Carrier } from './mux.ts'
import { mergeLines } from '../io/merge.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { withTimeout } from '../vm/with-timeout.ts'
import type { Ended, Flow, Running } from '../child/running.ts'

/** A host that has not answered by then is none. A launcher may have to log in first. */
const HELLO_MS = 15_000

/** A host that is told to kill has this long to say that it has; then the connection is given up. */
const KILL_MS = 500

/** A transport that ends can tell why this much later. */
const FAILURE_MS = 1000

/** What carries a process on another host, and what to say when that ends before the process has. */
export interface Transport extends Carrier {
  /** What it is called in messages. */
  label: string
  setRef(on: boolean): void
  /** Resolves with the reason when the transport itself ends with one. */
  failure: Promise<WatError | undefined>
  /** What the transport itself has to say, as lines. */
  notes?: Source
  /** Resolves when what it wrote before its own end has been read. */
  drained?(flows: Flow[]): Promise<void>
}

/** A process that another host runs, at the other end of a connection. */
export class RemoteProcess implements Running {
  pid: number | undefined
  readonly greeting: string | undefined
  readonly stdin: Sink
  readonly stdout: Source
  readonly stderr: Source
  readonly launched: Promise<void>
  readonly exited: Promise<Ended>
  hasExited = false
  readonly #transport: Transport
  readonly #mux: Mux
  readonly #launch: Launch
  readonly #timer: NodeJS.Timeout
  readonly #settle = Promise.withResolvers<Ended>()
  readonly #launched = Promise.withResolvers<void>()
  /** Something has happened that may be the end of a flow. */
  #moved = Promise.withResolvers<void>()
  #lost = false
  #greeted = false
  #orders: string[] = []

  constructor(transport: Transport, launch: Launch, greeting: string | undefined) {
    this.#transport = transport
    this.#launch = launch
    this.greeting = greeting
    this.exited = this.#settle.promise
    this.launched = this.#launched.promise
    this.#mux = new Mux(transport, HELLO_MS, {
      onControl: line => this.#onControl(line),
      onLaneEnd: () => this.#moved.resolve(),
      onEnd: reason => void this.#onEnd(reason),
    })
    this.stdin = this.#mux.sink(lanes.stdin)
    this.stdout = this.#mux.source(lanes.stdout)
    const stderr = this.#mux.source(lanes.stderr)
    this.stderr = transport.notes ? mergeLines(stderr, transport.notes) : stderr
    const late = new WatError('timeout', `${transport.label} has not answered within ${HELLO_MS} ms`)
    this.#timer = setTimeout(() => this.#mux.abort(late), HELLO_MS)
  }

  /** What it wrote is on its way when the host tells of its exit: the end of each lane comes behind it. */
  async drained(flows: Flow[]): Promise<void> {
    while (!flows.every(flow => flow.drained) && !this.#lost) {
      this.#moved = Promise.withResolvers()
      await this.#moved.promise
    }
    if (this.#lost) await this.#transport.drained?.(flows)
  }

  signal(name: SignalName): boolean {
    return this.#order(saySignal(name, false))
  }

  signalGroup(name: SignalName): boolean {
    return this.#order(saySignal(name, true))
  }

  async kill(): Promise<void> {
    this.#order(sayKill())
    const given = new WatError(
      'offline',
      `${this.#transport.label} has not told of the end of a process that was to be killed`,
    )
    const timer = setTimeout(() => this.#mux.abort(given), KILL_MS)
    await this.exited
    clearTimeout(timer)
  }

  setRef(on: boolean): void {
    this.#transport.setRef(on)
  }

  #order(line: string): boolean {
    if (this.hasExited) return false
    if (this.#greeted) this.#mux.say(line)
    else this.#orders.push(line)
    return true
  }

  #onControl(line: string): void {
    const control = toControl(line)
    if (control.kind === 'host') this.#onHost(control.protocol)
    else if (control.kind === 'launched') {
      this.pid = control.pid
      this.#launched.resolve()
    } else if (control.kind === 'exit') this.#finish({ code: control.code, signal: control.signal })
    else if (control.kind === 'refused') {
      this.#finish({ code: undefined, signal: undefined, panic: control.error })
      this.#mux.finish()
    }
  }

  #onHost(protocol: unknown): void {
    clearTimeout(this.#timer)
    if (protocol !== CONTROL_PROTOCOL) {
      const message = `${this.#transport.label} speaks version ${describe(protocol)} of the protocol, this process ${CONTROL_PROTOCOL}`
      return this.#mux.abort(new WatError('denied', message))
    }
    this.#greeted = true
    this.#mux.listenFor(this.#launch['silence-ms'])
    for (const line of [sayLaunch(this.#launch), ...this.#orders]) this.#mux.say(line)
  }

  async #onEnd(reason: WatError | undefined): Promise<void> {
    this.#lost = true
    this.#moved.resolve()
    if (this.hasExited) return
    const ended = new WatError('offline', `${this.#transport.label} ended the connection`)
    const panic = reason ?? (await withTimeout(this.#transport.failure, FAILURE_MS)) ?? ended
    this.#finish({ code: undefined, signal: undefined, panic })
  }

  #finish(ended: Ended): void {
    if (this.hasExited) return
    this.hasExited = true
    clearTimeout(this.#timer)
    this.#settle.resolve(ended)
  }
}
