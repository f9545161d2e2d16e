import { WatError } from '../error.ts'
import { children, type Child } from '../vm/children.ts'
import { sayExit, sayHost, sayLaunched, sayRefused, toControl, type Control, type Launch } from './control.ts'
import { toFault } from '../edn/fault.ts'
import { Mux, lanes, type Carrier } from './mux.ts'
import { BASIC_PROTOCOL, DEFAULT_SILENCE_MS, PROTOCOL, MAX_EARLY_ORDERS } from '../wire/limits.ts'
import { Pump } from '../io/pump.ts'
import { climb, INNER_SLACK_SHARE } from '../child/ladder.ts'
import { resolveOptions } from '../child/options.ts'
import { OsProcess } from '../local/os-process.ts'

/**
 * One connection to a host: starts the process it asks for, and carries its pipes. When the connection
 * ends, however it does, the process is left as by the death of a parent: it stops by itself within its
 * grace, or is killed by its guard. Resolves when the process is gone.
 */
export class HostSession {
  readonly done: Promise<void>
  readonly #mux: Mux
  readonly #finish: () => void
  readonly #flows: Pump[] = []
  #process: OsProcess | undefined
  /** What came before there was a process. */
  readonly #orders: Control[] = []
  #launched = false
  #lost = false

  constructor(carrier: Carrier) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
    this.#mux = new Mux(carrier, DEFAULT_SILENCE_MS, {
      onControl: line => this.#onControl(line),
      onLaneEnd() {},
      onEnd: () => this.#onEnd(),
    })
    this.#mux.say(sayHost())
  }

  #onControl(line: string): void {
    const control = toControl(line)
    if (control.kind === 'launch' && !this.#launched) void this.#start(control.launch)
    else if (this.#process) obey(this.#process, control)
    else if (this.#orders.length < MAX_EARLY_ORDERS) this.#orders.push(control)
    else
      throw new WatError('overloaded', `${MAX_EARLY_ORDERS} orders wait for a process that does not run yet`)
  }

  async #start(launch: Launch): Promise<void> {
    this.#launched = true
    this.#mux.listenFor(launch['silence-ms'])
    try {
      const process = await this.#launch(launch)
      this.#process = process
      for (const control of this.#orders.splice(0)) obey(process, control)
      if (this.#lost) process.abandon()
      this.#mux.say(sayLaunched(process.pid))
      await this.#carry(process, launch.address)
    } catch (error) {
      this.#mux.say(sayRefused(toFault(error, launch.address)))
      this.#mux.finish()
    } finally {
      this.#finish()
    }
  }

  #launch(launch: Launch): Promise<OsProcess> {
    const program = launch.kind === 'command' ? { command: launch.program } : launch.program
    const settings = resolveOptions(program, {
      args: launch.args,
      env: Object.fromEntries(launch.env.map(([variable, value]) => [variable, value ?? undefined])),
      cwd: launch.cwd ?? undefined,
      stopGrace: launch['stop-grace-ms'],
      maxFrame: launch['max-frame'],
      execArgv: launch['exec-argv'],
      ...(launch.given === true && { given: {} }),
    })
    settings.protocol = Math.min(PROTOCOL, launch.speaks ?? BASIC_PROTOCOL)
    return OsProcess.start(
      settings,
      launch.name,
      launch.address,
      launch.kind === 'sent' ? 'sent' : 'command-line',
    )
  }

  async #carry(process: OsProcess, address: string): Promise<void> {
    const child = childOf(process)
    children.add(child)
    const stdin = new Pump(this.#mux.source(lanes.stdin), process.stdin)
    const outputs = [
      new Pump(process.stdout, this.#mux.sink(lanes.stdout)),
      new Pump(process.stderr, this.#mux.sink(lanes.stderr)),
    ]
    this.#flows.push(...outputs)
    const { code, signal, panic } = await process.exited
    // Told at once: then the other side reads what is left whether somebody asked for it or not.
    this.#mux.say(panic ? sayRefused(toFault(panic, address)) : sayExit(code, signal))
    stdin.drop()
    await process.drained(outputs)
    await Promise.all(outputs.map(output => output.finish()))
    children.delete(child)
    this.#mux.finish()
  }

  #onEnd(): void {
    this.#lost = true
    this.#process?.abandon()
    for (const flow of this.#flows) flow.drop()
    if (!this.#launched) this.#finish()
  }
}

function obey(process: OsProcess, control: Control): void {
  if (control.kind === 'kill') void process.kill()
  else if (control.kind === 'signal' && control.group) process.signalGroup(control.name)
  else if (control.kind === 'signal') process.signal(control.name)
}

/** What the end of the host needs of it: it is told by SIGTERM, since its stdin is another's. */
function childOf(process: OsProcess): Child {
  return {
    async stopWithin(graceMs) {
      const rungs = {
        ask: () => void process.signal('SIGTERM'),
        terminate: async () => process.signalGroup('SIGTERM'),
        kill: () => process.kill(),
        gone: process.exited,
      }
      await climb(rungs, graceMs, graceMs * INNER_SLACK_SHARE)
    },
    killTree: () => process.kill(),
    signal: name => void process.signal(name),
    killGroup: () => void process.signalGroup('SIGKILL'),
  }
}
