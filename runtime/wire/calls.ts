import type { Asked, WatError } from '../error.ts'
import { fromFault } from '../edn/fault.ts'
import { cheapSite, rejection, siteHere } from '../edn/stack.ts'
import { onAbort } from './aborts.ts'
import { cancelled, metaOf, NO_OPTIONS, overfull, refusalOf, timedOut, timeLeft } from './call-terms.ts'
import type { CallOptions } from './call-options.ts'
import type { CallsOptions } from './calls-options.ts'
import { CallWindows, type CallWindow } from './call-window.ts'
import { MAX_TIMER_MS, MAX_WAITING_CALLS } from './limits.ts'
import type { Call, Held } from './call.ts'
import { OpenCalls } from './open-calls.ts'
import { OpenRequest } from './open-request.ts'
import type { Arrival } from './refs/arrival.ts'
import { later } from './timers.ts'

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
    held?.hold()
    return new Promise(resolve => {
      const timeout = options === NO_OPTIONS ? undefined : timeLeft(options)
      const due = timeout === undefined ? undefined : Date.now() + timeout
      const meta = metaOf(options)
      const window = this.#windows.of(to)
      const call: Call = {
        id: 0,
        body,
        to,
        due,
        meta,
        window,
        bytes: 0,
        resolve,
        site,
        passedOn: undefined,
        held,
      }
      if (timeout !== undefined && timeout <= MAX_TIMER_MS)
        call.timer = later(() => this.#drop(call, timedOut(this.#options.peer(), timeout)), timeout)
      if (options !== NO_OPTIONS) this.#follow(call, options)
      const idle = this.pending === 0
      if (window.waiting.size > 0 || !window.hasRoom(this.#credit)) this.#windows.wait(call)
      else this.#send(call)
      if (idle && this.pending > 0) this.#options.onBusy(true)
    })
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
    call.resolve(body)
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
      window.enter(call, outbox.lineBytes || 1) // a broken pipe has written none
    } catch (error) {
      release(call)
      this.#close(call)
      this.#reject(call, error as WatError)
    }
  }

  /** It is given up when what governs it says so. */
  #follow(call: Call, options: CallOptions): void {
    if (options instanceof OpenRequest) {
      // The same as its signal, which would have to be made for it.
      call.passedOn = options
      call.unlisten = options.onAbort(reason => this.#drop(call, cancelled(this.#options.peer(), reason)))
    } else if (options.signal) {
      const { signal } = options
      call.signal = signal
      call.unlisten = onAbort(signal, () => this.#drop(call, cancelled(this.#options.peer(), signal.reason)))
    }
  }

  #drop(call: Call, reason: WatError): void {
    if (!this.#windows.stopWaiting(call)) this.#options.cancel(call.id)
    this.#settled(call)
    this.#reject(call, reason)
  }

  #reject(call: Call, error: WatError, far = false): void {
    call.resolve(this.#rejected(call, error, call.site, far))
  }

  #rejected({ body, meta }: Asked, error: WatError, site: Error | undefined, far: boolean) {
    const { peer, bodyOf = same } = this.#options
    return rejection(error, { peer: peer().address, site, far, request: { body: bodyOf(body), meta } })
  }

  #settled(call: Call): void {
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

function release(call: Call): void {
  clearTimeout(call.timer)
  call.unlisten?.()
  const { held } = call
  call.held = undefined
  held?.letGo()
}
