import '../version.ts'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from '../edn/describe.ts'
import { WatError } from '../error.ts'
import type * as runtime from '../index.ts'
import { readyFrame } from '../wire/frames.ts'
import { MAX_TIMER_MS } from '../wire/limits.ts'
import { later } from '../wire/timers.ts'
import { parseCommand, type Command } from './command.ts'
import { captureConsole } from '../vm/console.ts'
import { kindOf } from '../io/fd.ts'
import { humanRecord } from '../vm/human.ts'
import { endWhenUnread } from '../vm/idle.ts'
import { adoptEnvironment, identity } from '../vm/identity.ts'
import { endOfProgram, isStopping, mainSettled, stopSignal, whenMainSettled } from '../vm/lifecycle.ts'
import { log } from '../vm/log.ts'
import { crash, installPanic, lastWords, panic } from '../vm/panic.ts'
import { port } from '../vm/port.ts'
import { expressionProgram, fileProgram, runProgram, sentProgram, type Program } from './program.ts'
import { installSignals } from '../vm/signals.ts'
import { carriedPackage, type Assignment } from '../vm/assignment.ts'
import { openPort, ownPipes, STDERR, STDIN, STDOUT, watchLifeline } from './pipes.ts'
import { ProgramSource } from './program-source.ts'
import { exits, status } from '../vm/status.ts'
import { flushStderr, presentWith, stderrTo } from '../vm/stderr.ts'

/** Frames of a stack. Of V8's ten too many may be ours, which stand on top of the program's. */
const STACK_FRAMES = 30

let ready = false

/** Runs the program that the arguments name; resolves when its main has settled. */
export async function boot(argv: string[]): Promise<void> {
  deepenStacks()
  const { lifelineFd, guardFd, source: sourceKind, isGiven } = adoptEnvironment(process.env)
  const command = parseCommand(argv, version)
  if (command.kind === 'print') return leave(exits.done, command.text, STDOUT)
  if (command.kind === 'usage') return leave(exits.usage, `${command.message}\n`, 2)

  const pipes = identity.thread ? (await import('../thread/thread.ts')).threadPipes() : undefined
  if (pipes) stderrTo(pipes.stderr)
  installPanic(() => (ready ? exits.panic : exits.notLoaded))
  if (identity.role === 'root' && kindOf(STDERR) === 'terminal') presentWith(humanRecord)
  else captureConsole()
  process.on('warning', reportWarning)
  if (!identity.thread) installSignals(guardFd)
  process.on('exit', () => {
    const lost = port.outbox.flushSync()
    if (lost) lastWords(lost)
    flushStderr()
  })
  if (command.kind === 'host') return hosting(command)
  if (command.maxFrame !== undefined) identity.maxFrame = command.maxFrame
  const source = sourceKind && new ProgramSource(sourceKind === 'spare' ? lifelineFd : undefined)
  openPort(pipes ?? ownPipes(), command.pretty, source)
  if (lifelineFd !== undefined) watchLifeline(lifelineFd)
  const start = source ? assigned(await source.program()) : commanded(command)
  try {
    if (isGiven || start.isGiven) identity.given = await port.given()
  } catch (error) {
    return crash(error, exits.notLoaded)
  }
  await run(start)
}

/** Unless whoever started Node has chosen another number of frames. */
function deepenStacks(): void {
  const chosen = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ')
  if (!/--stack[-_]trace[-_]limit/.test(chosen)) Reflect.set(Error, 'stackTraceLimit', STACK_FRAMES)
}

/** The program is loaded and has done its first step: a parent waits for this frame. */
function announceReady(): void {
  if (ready) return
  ready = true
  const { role, address, protocol, mostProtocol } = identity
  if (role === 'child') port.outbox.pushFirst(readyFrame(address, process.pid, protocol, mostProtocol))
}

/** Serves other hosts instead of a program. */
async function hosting(command: Command & { kind: 'host' }): Promise<void> {
  identity.name ||= 'host'
  if (command.address === 'stdio:') port.outbox.abort(new WatError('denied', 'stdout carries the connection'))
  else openPort(ownPipes(), false, undefined)
  endWhenIdle()
  try {
    const { serveHost } = await import('../remote/host.ts')
    await serveHost(command, [STDIN, STDOUT], stopSignal, address => {
      announceReady()
      void port.stdout.send(address)
    })
  } catch (error) {
    return panic(error, error instanceof WatError && error.code === 'denied' ? exits.usage : exits.panic)
  }
  mainSettled()
  endOfProgram()
}

/** A program, and what it is started with. */
interface Start {
  locate: () => Program
  args: string[]
  /** Its name, unless the parent gave one. */
  label: string
  /** A `#wat/given` frame comes. */
  isGiven: boolean
}

function commanded(command: Command & { kind: 'run' | 'eval' }): Start {
  const { kind, args } = command
  if (kind === 'eval')
    return { locate: () => expressionProgram(command.expression), args, label: 'eval', isGiven: false }
  const label = path.parse(command.program).name
  return { locate: () => fileProgram(command.program), args, label, isGiven: false }
}

function assigned({ program, given = false, args, name }: Assignment): Start {
  const pkg = carriedPackage()
  const locate = () => (pkg ? sentProgram(pkg) : fileProgram(program))
  return { locate, args, label: name, isGiven: given }
}

async function run({ locate, args, label }: Start): Promise<void> {
  identity.args = args
  identity.name ||= label
  const program = found(locate)
  process.argv = [process.execPath, fileURLToPath(program.url), ...args] // as Node has it
  port.onFirstUse(announceReady)
  endWhenIdle()
  try {
    const exported = await runProgram(program, () => setImmediate(announceReady))
    announceReady()
    // A default-exported function is the program's main; it gets what the program's `wat-vm` exports.
    if (typeof exported.default === 'function')
      await (exported.default as Main)(await import('wat-vm'), identity.given)
  } catch (error) {
    // Who waits for a child that is stopped along with this process has not failed.
    if (isStopping() && error instanceof WatError && error.code === 'offline') return mainSettled()
    return crash(error, ready ? exits.panic : exits.notLoaded)
  }
  mainSettled()
  endWhenUnread(endOfProgram)
  port.peer.answers.decline(new WatError('no-handler', `${identity.name} does not serve`))
  endAfterInput()
}

type Main = (wat: typeof runtime, given: unknown) => unknown

function found(locate: () => Program): Program {
  try {
    return locate()
  } catch (error) {
    panic(error, exits.noProgram)
  }
}

/** An empty event loop is the end, once the top level has settled; until then something may still come. */
function endWhenIdle(): void {
  process.on('beforeExit', () => {
    if (isStopping()) return
    if (status.mainSettled) return endOfProgram()
    const keepAlive = setInterval(() => {}, MAX_TIMER_MS)
    void whenMainSettled.then(() => clearInterval(keepAlive))
  })
}

/** A server whose input has ended is done: a stray timer keeps it for half the grace at most. */
function endAfterInput(): void {
  if (!port.serving) return
  void port.peer.answers.done.then(() => {
    later(endOfProgram, identity.stopGraceMs / 2).unref()
  })
}

/** A program may emit anything as a warning, and what cannot be read is one of something. */
function reportWarning(warning: unknown): void {
  let text: string
  try {
    const { name, message, code } = warning as Error & { code?: unknown }
    if (name === 'ExperimentalWarning' || code === 'MODULE_TYPELESS_PACKAGE_JSON') return
    text = `${describe(name)}: ${describe(message)}`
  } catch {
    text = `Warning: ${describe(warning)}`
  }
  log.warn(text)
}

function version(): string {
  const text = fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function leave(code: number, text: string, fd: number): void {
  try {
    fs.writeSync(fd, text)
  } catch {
    // closed, or nobody reads it: the exit code has to do
  }
  process.exit(code)
}
