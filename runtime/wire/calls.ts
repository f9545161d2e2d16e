import type { Asked, WatError } from '../error.ts'
import { fromFault } from '../edn/fault.ts'
import { cheapSite, located, rejection, siteHere } from '../edn/stack.ts'
import { cancelled, NO_OPTIONS, overfull, refusalOf, timedOut, timeLeft } from './call-terms.ts'
import type { CallOptions } from './call-options.ts'
import type { CallsOptions } from './calls-options.ts'
import { follow } from './follow.ts'
import { CallWindows, type CallWindow } from './call-window.ts'
import { awaitedCall, passedCall } from './new-call.ts'
import { MAX_TIMER_MS, MAX_WAITING_CALLS } from './limits.ts'
import { release, type Call, type Held } from './call.ts'
import type { Passed } from './passed.ts'
import { OpenCalls } from './open-calls.ts'
import type { Arrival } from './refs/arrival.ts'
import { later } from './timers.ts'
import { Unread } from './unread.ts'
import { replyBody } from './reply-body.ts'

/**
 * Of so many calls that are open at once, each may keep where it was made. Of more, the lines that await them
 * can be told, which costs nothing.
 */
const CALLS_WITH_SITE = 16

/**
 * The caller's side of request and reply: which calls are open, and how each one settles.
 * @internal
 */
export class Calls {
  readonly #open = new OpenCalls<Call>()
  readonly #windows: CallWindows<Call>
  /** The callee tells when handlers begin. Until then a place is held until the reply. */
  #credit = false
  #failure: WatError | undefined
  /** Calls whose replies are not to be read. */
  lazy = 0
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
    this.#windows = new CallWindows(options.maxInFlight)
  }

  /** Calls that have not settled, sent or not. */
  get pending(): number {
    return this.#open.size + this.#windows.waiting
  }

  /** @internal */
  get load(): Record<string, number> {
    const all = this.#windows.all()
    return {
      open: this.#open.size,
      unsentCalls: this.#windows.waiting,
      places: all.reduce((sum, { places }) => sum + places, 0),
      placed: all.reduce((sum, { bytes }) => sum + bytes, 0),
      called: all.length - 1,
    }
  }

  /**
   * `to`: the number of the reference that it is for; 0: whatever serves at the other end. `held` is held until the
   * call has settled.
   */
  call(body: unknown, options: CallOptions = NO_OPTIONS, to = 0, held?: Held): Promise<unknown> {
    const refusal = this.#failure ?? this.#refusal(options)
    if (refusal) return this.#rejected({ body, meta: options.meta }, refusal, siteHere(), false)
    const site = this.pending < CALLS_WITH_SITE ? cheapSite() : undefined
    return new Promise(resolve => {
      const timeout = options === NO_OPTIONS ? undefined : timeLeft(options)
      const due = timeout === undefined ? undefined : Date.now() + timeout
      const call = awaitedCall(body, to, this.#windows.of(to), options, due, resolve, site, held)
      this.#begin(call, timeout, options)
    })
  }

  /** Passes a request on, without a promise: it is told of the end. */
  pass(request: Passed, to = 0, held?: Held): void {
    const refusal = this.#failure ?? this.#refusal(NO_OPTIONS)
    if (refusal) return request.failedThere(located(refusal, { peer: this.#options.peer().address }))
    const call = passedCall(request, to, this.#windows.of(to), held)
    request.passedTo(this, call)
    this.#begin(call, timeLeft(request), NO_OPTIONS)
  }

  /** The request that it passes on is given up. */
  giveUp(call: object, cause: unknown): void {
    this.#drop(call as Call, cancelled(this.#options.peer(), cause))
  }

  #begin(call: Call, timeout: number | undefined, options: CallOptions): void {
    call.held?.hold()
    if (call.lazy) this.lazy++
    if (timeout !== undefined && timeout <= MAX_TIMER_MS)
      call.timer = later(() => this.#drop(call, timedOut(this.#options.peer(), timeout)), timeout)
    if (options !== NO_OPTIONS) follow(call, options, cause => this.giveUp(call, cause))
    const idle = this.pending === 0
    const { window } = call
    if (window.waiting.size > 0 || !window.hasRoom(this.#credit)) this.#windows.wait(call)
    else this.#send(call)
    if (idle && this.pending > 0) this.#options.onBusy(true)
  }

  /** The callee tells from now on when a handler has begun: then its request makes room for another. */
  limit(): void {
    this.#credit = true
  }

  /** The handler of a request has begun. False: no call with this id was ever made. */
  begun(id: number): boolean {
    const call = this.#open.get(id)
    if (!call) return id <= this.#open.lastId
    call.passedOn?.begin()
    call.window.leave(call)
    this.#fill(call.window)
    return true
  }

  /** Whether its reply is not to be read. */
  isLazy(id: number): boolean {
    return this.#open.get(id)?.lazy === true
  }

  /** Whether it waits for its reply. */
  has = (id: number): boolean => this.#open.get(id) !== undefined

  /** A reply has come. False: no call with this id was ever made. */
  reply(id: number, body: unknown, arrival?: Arrival): boolean {
    const call = this.#open.get(id)
    // A reply to a call that was cancelled, timed out or answered already is late, not wrong.
    if (!call) return id <= this.#open.lastId
    this.#settled(call)
    call.passedOn?.pass(arrival)
    if (call.signal) arrival?.govern(call.signal, reason => cancelled(this.#options.peer(), reason))
    if (call.resolve) call.resolve(replyBody(body, call.lazy))
    else call.passedOn?.passedBack(body)
    return true
  }

  /** A fault has come in place of a reply. False: no call with this id was ever made. */
  error(id: number, fault: unknown): boolean {
    return this.fail(id, fromFault(fault, this.#options.peer().address), true)
  }

  /** One call cannot be answered; `far`: as the callee says. False: no call with this id was ever made. */
  fail(id: number, error: WatError, far = false): boolean {
    const call = this.#open.get(id)
    if (!call) return id <= this.#open.lastId
    this.#settled(call)
    this.#reject(call, error, far)
    return true
  }

  /** The reference with this number works no more: calls to it reject. */
  failTo(to: number, error: WatError): void {
    const sent = this.#open.all().filter(call => call.to === to)
    const waiting = this.#windows.of(to).waiting.all()
    for (const call of [...waiting, ...sent]) {
      this.#windows.stopWaiting(call)
      this.#settled(call)
      this.#reject(call, error, true)
    }
    this.#windows.close(to)
  }

  /** The callee is gone: every open call and every later one rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    if (this.#failure) return
    this.#failure = reason
    const calls = [...this.#open.drain(), ...this.#windows.drain()]
    this.lazy = 0
    for (const call of calls) {
      call.window.leave(call)
      release(call)
      this.#reject(call, reason)
    }
    if (calls.length > 0) this.#options.onBusy(false)
  }

  #refusal(options: CallOptions): WatError | undefined {
    const refusal = options === NO_OPTIONS ? undefined : refusalOf(options, this.#options.peer())
    return (
      refusal ?? (this.#windows.waiting >= MAX_WAITING_CALLS ? overfull(this.#options.peer()) : undefined)
    )
  }

  #send(call: Call): void {
    const id = this.#open.add(call)
    const { window } = call
    window.open++
    const { outbox, write, maxFrame } = this.#options
    try {
      const tooMuch = outbox.overflow()
      if (tooMuch) throw tooMuch
      // A broken pipe fails no call by itself: replies may still be on their way, and the exit tells more.
      outbox.add(write, id, call, maxFrame())
      if (this.#open.get(id) !== call) return // a getter of its body has given it up
      if (!call.resolve && call.body instanceof Unread) call.body.spend()
      window.enter(call, outbox.lineBytes || 1) // a broken pipe has written none
    } catch (error) {
      if (call.lazy) this.lazy--
      release(call)
      this.#close(call)
      this.#reject(call, error as WatError)
    }
  }

  #drop(call: Call, reason: WatError): void {
    if (!this.#windows.stopWaiting(call)) this.#options.cancel(call.id)
    this.#settled(call)
    this.#reject(call, reason)
  }

  #reject(call: Call, error: WatError, far = false): void {
    const { peer } = this.#options
    if (call.resolve) call.resolve(this.#rejected(call, error, call.site, far))
    else call.passedOn?.failedThere(located(error, { peer: peer().address, far }))
  }

  #rejected({ body, meta }: Asked, error: WatError, site: Error | undefined, far: boolean) {
    const { peer, bodyOf = same } = this.#options
    return rejection(error, { peer: peer().address, site, far, request: { body: bodyOf(body), meta } })
  }

  #settled(call: Call): void {
    if (call.lazy) this.lazy--
    release(call)
    this.#close(call)
    call.window.leave(call)
    this.#fill(call.window)
    if (this.pending === 0) this.#options.onBusy(false)
  }

  #close(call: Call): void {
    const { to, window } = call
    if (this.#open.delete(call)) window.open--
    this.#windows.close(to)
  }

  #fill(window: CallWindow<Call>): void {
    if (window.waiting.size === 0) return
    // A getter of a value that is being written has made room.
    if (this.#options.outbox.busy) return queueMicrotask(() => this.#fill(window))
    let call: Call | undefined
    while ((call = this.#windows.next(window, this.#credit))) this.#send(call)
  }
}

const same = <T>(body: T): T => body
