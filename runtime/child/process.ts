/// <reference lib="esnext.disposable" preserve="true" />
import type { SignalName } from '../ambient.ts'
import { WatError } from '../error.ts'
import { children, type Child } from '../vm/children.ts'
import { identity } from '../vm/identity.ts'
import { isStopping } from '../vm/lifecycle.ts'
import type { Tagged } from '../edn/index.ts'
import { Callable } from '../wire/callable.ts'
import type { CallOptions } from '../wire/call-options.ts'
import { offline, type Exit } from '../edn/fault.ts'
import { behindRejections } from '../edn/stack.ts'
import { BASIC_PROTOCOL } from '../wire/limits.ts'
import type { Route } from '../wire/passed.ts'
import type { Peer } from '../wire/peer.ts'
import type { Receiver } from '../wire/receiver.ts'
import type { Sender } from '../wire/sender.ts'
import type { Unread } from '../wire/unread.ts'
import { Ending } from './ending.ts'
import { nameFor, releaseAddress, takeAddress } from './address.ts'
import { agree, childPeer, give } from './child-peer.ts'
import { INNER_SLACK_SHARE, SLACK_MS } from './ladder.ts'
import type { Settings } from './options.ts'
import { Output } from './output.ts'
import { Readiness } from './readiness.ts'
import { endedFrom, exitOf, inOrder, startError, unstarted, type Running, type Starter } from './running.ts'
import { StderrFlow } from './stderr-flow.ts'
import { Untaken } from './untaken.ts'

/** A started process, as its parent holds it. */
export class Process<Req = any, Res = any> extends Callable<Req, Res> implements AsyncDisposable {
  /** What it is called; the last part of its address, but for a number that keeps that unique. */
  readonly name: string
  /** Its place in the tree. */
  readonly address: string
  /** Plain messages to it. */
  readonly stdin: Sender<Req>
  /** What it prints. One that nobody reads stops the child when the pipe is full; its death rejects: see `recv`. */
  readonly stdout: Receiver<Res>
  /** Its records, and raw text as `#wat/raw`, with `stderr: 'pipe'`; otherwise they are relayed and this is empty. It just ends. */
  readonly stderr: Receiver<Tagged<any>>

  readonly #settings: Settings
  readonly #peer: Peer
  readonly #untaken: Untaken
  readonly #output: Output
  readonly #stderrFlow: StderrFlow
  readonly #readiness: Readiness
  readonly #exited = Promise.withResolvers<Exit>()
  readonly #child: Child
  readonly #ending: Ending
  #running: Running | undefined
  #exit: Exit | undefined
  #stranger: WatError | undefined
  #awaited = false

  /** @internal `protocol`: the version that it is known to speak from the start. */
  constructor(settings: Settings, name: string | undefined, start: Starter, protocol = BASIC_PROTOCOL) {
    super()
    this.#settings = settings
    this.name = nameFor(settings.program.label, name)
    this.address = takeAddress(this.name)
    const update = () => this.#update()
    this.#readiness = new Readiness(this.address, settings.program.kind === 'command', {
      onReady: update,
      onProtocol: (spoken, most) => agree(this.#peer, spoken, most),
      onStranger: error => this.#onStranger(error),
    })
    this.#peer = childPeer(this, settings, protocol, {
      ready: info => this.#readiness.onFrame(info),
      exit: info => this.#onExitFrame(info),
      onEnd: () => this.#output.onEnd(),
      onSettle: () => this.#updateRef(),
      onIdle: () => this.#output.look(),
      // What it still writes is read whether somebody asked or not: it is ending, and must get rid of it.
      hurried: () =>
        this.#ending.begun || this.#running?.hasExited === true || this.#stderrFlow.panic !== undefined,
    })
    this.#untaken = new Untaken(this.#peer)
    this.stdin = this.#peer.outgoing
    this.stdout = this.#peer.incoming as Receiver<Res>
    this.#output = new Output(this.address, this.#peer, this.#readiness)
    this.#stderrFlow = new StderrFlow(this.address, settings.relay, update, () => this.#updateRef())
    this.stderr = this.#stderrFlow.receiver
    this.#child = {
      stopWithin: async graceMs => void (await this.#ending.stop(graceMs, graceMs * INNER_SLACK_SHARE)),
      killTree: () => this.#ending.kill(),
      untaken: () => (this.#waitedFor ? undefined : this.#untaken),
      signal: signal => void this.signal(signal),
      killGroup: () => void this.#running?.signalGroup('SIGKILL'),
    }
    children.add(this.#child)
    const running = this.#start(start, give(this.#peer, settings))
    this.#ending = new Ending({
      outbox: this.#peer.outbox,
      end: () => void this.stdin.end(),
      running: () => running,
      exited: this.#exited.promise,
      speaks: () => this.#readiness.speaks,
      onAsked: update,
    })
  }

  /** Its process id; `undefined` until the system has started it. */
  get pid(): number | undefined {
    return this.#running?.pid
  }

  /**
   * Resolves when its program has been loaded and has done its first step: a command that is not ours, when
   * it says so or says anything, or has said nothing for a second. Rejects with `offline` if it ends before,
   * with `denied` if it speaks another version of the protocol.
   */
  get ready(): Promise<void> {
    return this.#readiness.promise
  }

  /**
   * Settles once, when it is gone and its last words have been read: exit code, signal and panic, each
   * apart. Never rejects. Waiting for it keeps a plain Node program alive, as a child process would.
   */
  get exited(): Promise<Exit> {
    this.#awaited = true
    this.#update()
    return this.#exited.promise
  }

  /** @internal */
  override route(): Route {
    return this.#peer.calls
  }

  /**
   * Sends a request and resolves with the body of its reply. Calls are pipelined and may be answered in
   * any order. Rejects with the fault of the handler (its `code`, and where it began in `address`),
   * `timeout`, `cancelled`, `offline` (at once, with exit and panic, when the process dies), `no-handler`,
   * `encode`, `denied`, `too-large` or `overloaded`.
   */
  override call(body: Req | Unread<Req>, options: CallOptions & { lazy: true }): Promise<Unread<Res>>
  override call(body: Req | Unread<Req>, options?: CallOptions): Promise<Res>
  override call(body: Req | Unread<Req>, options?: CallOptions): Promise<any> {
    return this.#peer.calls.call(body, options)
  }

  /**
   * Ends it and everything below it, gracefully within its `stopGrace`, by force after that: stop frame
   * and end of input, then SIGTERM to its group, then SIGKILL to the whole subtree. Resolves with its
   * exit. Idempotent, never rejects.
   */
  stop(): Promise<Exit> {
    return this.#ending.stop(this.#settings.stopGraceMs, isStopping() ? 0 : SLACK_MS)
  }

  /** Kills it and everything below it at once. Resolves with its exit; never rejects. */
  async kill(): Promise<Exit> {
    await this.#ending.kill()
    return this.#exited.promise
  }

  /** Sends it a signal; false when it has not started yet or is gone, so that no other process is hit. */
  signal(name: SignalName): boolean {
    return this.#running?.signal(name) ?? false
  }

  /** `await using` stops it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #start(start: Starter, unsendable: WatError | undefined): Promise<Running | undefined> {
    try {
      if (unsendable) await Promise.reject(unsendable)
      const running = await start(this.#settings, this.name, this.address)
      if (running instanceof WatError) this.#onGone({ panic: running }, false, running)
      else this.#onStarted(running)
      return running instanceof WatError ? undefined : running
    } catch (error) {
      this.#onGone(unstarted(startError(error, this.address)), this.#ending.ours)
      return undefined
    }
  }

  #onStarted(running: Running): void {
    this.#running = running
    this.#stderrFlow.open(running.stderr)
    this.#peer.open(this.#output.of(running.stdout), running.stdin, running.greeting)
    this.#update()
    void (running.launched ?? Promise.resolve()).then(() => this.#readiness.begin())
    void this.#watch(running)
  }

  /** From its exit on, what it wrote is read to the end, and then everything that waits for it settles. */
  async #watch(running: Running): Promise<void> {
    const ended = await running.exited
    const { ours } = this.#ending
    this.#update()
    await running.drained([this.#output, this.#stderrFlow])
    this.#onGone(exitOf(ended, this.#stderrFlow.panic), ours)
  }

  #onGone(exit: Exit, ours: boolean, reason = offline(this.name, this.address, exit)): void {
    this.#exit = exit
    children.delete(this.#child)
    releaseAddress(this.address)
    this.#peer.abort(reason)
    this.#untaken.update()
    this.#output.end(this.#stranger ?? (ours || inOrder(exit) ? undefined : reason))
    this.#stderrFlow.end()
    this.#readiness.fail(reason)
    this.#exited.resolve(behindRejections(exit))
  }

  /** What is at the other end of a connection tells how it has ended; of others only the system can know. */
  #onExitFrame(info: Record<string, unknown>): void {
    const told = this.#running?.onExit?.(endedFrom(info, this.address))
    if (!told) throw new WatError('malformed', 'a #wat/exit frame has no meaning from a child')
    if (info.code === 0 && info.panic === undefined) this.#output.endedInOrder()
  }

  /** It cannot be talked to. */
  #onStranger(error: WatError): void {
    this.#stranger = error
    this.#peer.calls.abort(error)
    void this.stop()
  }

  /** Something that decides whether its pipes are read may have changed. */
  #update(): void {
    this.#peer.settle()
    this.#stderrFlow.resume()
  }

  /** Waiting for it keeps the event loop alive; an idle process does not. */
  #updateRef(): void {
    this.#untaken.update()
    this.#running?.setRef(this.#waitedFor && this.#exit === undefined)
  }

  /** Whether somebody here waits for what it does, besides taking what it was sent. */
  get #waitedFor(): boolean {
    return (
      this.#readiness.pending ||
      this.#ending.begun ||
      this.#peer.calls.pending > 0 ||
      this.#peer.answers.busy ||
      this.stdout.wanted ||
      this.stderr.wanted ||
      (this.#awaited && identity.role === 'library')
    )
  }
}
