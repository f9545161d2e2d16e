import { statSync } from 'node:fs'
import { WatError } from '../error.ts'
import { children, type Child } from '../vm/children.ts'
import { childAddress } from '../vm/identity.ts'
import { isStopping } from '../vm/lifecycle.ts'
import { TAKEN, WAITING, type Assignment } from '../vm/assignment.ts'
import { sendProgram } from '../child/assignment.ts'
import { resolveOptions, type Settings } from '../child/options.ts'
import { OsProcess } from './os-process.ts'

const MOST = 64
const NAME = 'spare'

/** A spare that is taken is replaced this much later: the program that took it goes first. */
const REFILL_MS = 50

/** One that has not taken its program by then, because it is suspended or worse, is given up. */
const TAKE_MS = 1000

/** After so many that died before they had booted no more are started. */
const MOST_FAILURES = 3

/** What Node or the C library reads once, when a process starts: a spare cannot take it over later. */
const READ_AT_START = /^(NODE_|LD_|UV_|SSL_|OPENSSL_|MALLOC_|GLIBC_|LC_|LANG|TZ$|WAT_)/

const spares = new Set<Spare>()
let wanted = 0
let failures = 0

/**
 * Keeps `count` spare processes, at most 64: booted, in a group of their own, waiting for a program. A
 * `spawnProcess` takes one if its options allow that (no `execArgv`, the usual `stopGrace` and `maxFrame`,
 * no other value for what Node reads from the environment when it starts), and then replies in a fraction
 * of the time; a new spare is started in its place. They are children like others: they do not keep this
 * process alive, end with it, and die when it dies. `prewarm(0)` lets them go.
 *
 * Resolves when all of them have booted, and those that are too many are gone. Rejects with `offline` if one
 * cannot be started, with `denied` for a count that is none.
 */
export async function prewarm(count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 0 || count > MOST) {
    throw new WatError('denied', `prewarm takes a number of processes, from 0 to ${MOST}`, {
      data: { count: String(count) },
    })
  }
  wanted = count
  failures = 0
  const dropped = [...spares].slice(count).map(spare => spare.drop())
  fill()
  await Promise.all([...dropped, ...[...spares].map(spare => spare.booted)])
}

/**
 * Starts a program in a spare; `undefined` when there is none that it could be the same in.
 * @internal
 */
export async function takeSpare(settings: Settings, assignment: Assignment): Promise<OsProcess | undefined> {
  const here = workingFolder()
  if (spares.size === 0 || here === undefined) return undefined
  const env: NodeJS.ProcessEnv = { ...process.env, ...settings.env }
  for (const spare of spares) {
    const changes = spare.changesTo(env)
    if (!changes || !spare.fits(settings)) continue
    const running = await spare.become({ ...assignment, env: changes, cwd: assignment.cwd ?? here })
    if (running) return running
  }
  return undefined
}

/** One that has been removed has no path. */
function workingFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

function fill(): void {
  if (failures >= MOST_FAILURES || isStopping()) return
  while (spares.size < wanted) spares.add(new Spare())
}

function refill(): void {
  setTimeout(fill, REFILL_MS).unref()
}

class Spare {
  /** Resolves when it waits for a program. Rejects with `offline` when it never will. */
  readonly booted: Promise<void>
  readonly #settings = resolveOptions(NAME, {})
  readonly #env = { ...process.env }
  readonly #execPath = process.execPath
  readonly #taken = Promise.withResolvers<true>()
  readonly #child: Child = {
    stopWithin: () => this.drop(),
    killTree: () => this.drop(),
    signal: name => void this.#running?.signal(name),
    killGroup: () => void this.#running?.signalGroup('SIGKILL'),
  }
  readonly #started: Promise<OsProcess>
  #running: OsProcess | undefined
  #waits = false
  /** It has said that it has its program, and is somebody else's now. */
  #given = false

  constructor() {
    children.add(this.#child)
    this.#started = OsProcess.start(this.#settings, NAME, childAddress(NAME), 'spare')
    this.booted = this.#boot()
    this.booted.catch(() => {
      failures++
      this.#forget()
    })
  }

  /** Whether a process that it becomes is the same as one that was started with these settings. */
  fits({ execArgv, stopGraceMs, maxFrame, cwd }: Settings): boolean {
    const mine = this.#settings
    const same = stopGraceMs === mine.stopGraceMs && maxFrame === mine.maxFrame && execArgv.length === 0
    if (!this.#waits || !same || process.execPath !== this.#execPath) return false
    return cwd === undefined || statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true
  }

  /** What is other in this environment than in its own; `undefined` if that cannot be changed any more. */
  changesTo(env: NodeJS.ProcessEnv): Assignment['env'] | undefined {
    const changes: Assignment['env'] = []
    for (const variable in { ...env, ...this.#env }) {
      if (env[variable] === this.#env[variable]) continue
      if (READ_AT_START.test(variable)) return undefined
      changes.push([variable, env[variable] ?? null])
    }
    return changes
  }

  /** Runs the program; `undefined` if it has died meanwhile, without having begun. */
  async become(assignment: Assignment): Promise<OsProcess | undefined> {
    const running = this.#running as OsProcess
    this.#forget()
    running.setRef(true)
    const sent = sendProgram(running.stdin, assignment)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, TAKE_MS)))
    const never = Promise.race([running.exited, late]).then(() => this.#heardOut())
    await Promise.race([this.#taken.promise, never])
    clearTimeout(timer)
    if (this.#given) {
      await sent
      return running
    }
    running.signalGroup('SIGKILL')
    return undefined
  }

  /** Ends it: it has no program that could want to end in order. Resolves when it is gone. */
  async drop(): Promise<void> {
    this.#forget()
    const running = await this.#started.catch(() => undefined)
    running?.setRef(true) // whoever waits for its end may have nothing else to do
    running?.signalGroup('SIGKILL')
    await running?.exited
  }

  async #boot(): Promise<void> {
    const running = await this.#started
    this.#running = running
    const waiting = new Promise<void>(resolve =>
      running.onLifeline(text => {
        if (text.includes(WAITING)) resolve()
        if (!text.includes(TAKEN)) return
        this.#given = true
        this.#taken.resolve(true)
      }),
    )
    const exit = this.#outcome(running)
    exit.catch(() => {})
    await Promise.race([waiting, exit])
    failures = 0
    this.#waits = spares.has(this)
    running.setRef(false)
  }

  /** Rejects when it has ended without a program. */
  async #outcome(running: OsProcess): Promise<void> {
    const { code, signal, panic } = await running.exited
    await this.#heardOut()
    if (this.#given) return
    this.#forget()
    running.discard()
    if (panic) throw panic
    throw new WatError('offline', `a spare has ended with ${signal ?? code}`, {
      data: { exit: { code, signal } },
    })
  }

  /**
   * Resolves when its lifeline has been read once more. A program that it has begun must not be begun again,
   * also if this process was too busy to see that in time.
   */
  #heardOut(): Promise<void> {
    return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  }

  /** From now on it is no spare. */
  #forget(): void {
    this.#waits = false
    children.delete(this.#child)
    if (spares.delete(this)) refill()
  }
}
