import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import { describe } from '../edn/describe.ts'
import { fromFault } from '../edn/fault.ts'
import { cheapSite, rejection, siteHere } from '../edn/stack.ts'
import { cancelFrame, writeRequest } from './frames.ts'
import { onAbort } from './aborts.ts'
import { CALL_PLACES, CALL_WINDOW_BYTES, MAX_TIMER_MS, MAX_WAITING_CALLS } from './limits.ts'
import { OpenCalls, type Numbered } from './open-calls.ts'
import type { Outbox } from './outbox.ts'
import { Queue, type Place } from './queue.ts'
import { later } from './timers.ts'

/** When a call is given up. */
export interface CallOptions {
  /** Milliseconds until the call rejects with `timeout` and is cancelled at the other end; none are left below 1. */
  timeout?: number | undefined
  /** Aborting it rejects the call with `cancelled` and cancels it at the other end. */
  signal?: GlobalSignal | undefined
}

interface Call extends Numbered {
  body: unknown
  /** What its request takes of the room at the other end, until its handler has begun. */
  bytes: number
  resolve(body: unknown): void
  /** Where the program made it, if that was kept. */
  site: Error | undefined
  /** While it waits for a place among the open ones. */
  place?: Place<Call>
  timer?: NodeJS.Timeout
  unlisten?: () => void
}

/** @internal */
interface CallsOptions {
  outbox: Outbox
  /** Calls that may be open at once. Without it those count whose handlers have not begun. */
  maxInFlight: number | undefined
  maxFrame: () => number
  /** The callee, for error messages. */
  peer: () => { name: string; address: string }
  /** The number of open calls has gone from none to some or back. */
  onBusy(busy: boolean): void
}

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
  readonly #waiting = new Queue<Call>()
  /** Requests that have a place at the other end, and their bytes. */
  #places = 0
  #bytes = 0
  /** The callee tells when handlers begin. Until then a place is held until the reply. */
  #credit = false
  #failure: WatError | undefined
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Calls that have not settled, sent or not. */
  get pending(): number {
    return this.#open.size + this.#waiting.size
  }

  /** @internal */
  get load(): Record<string, number> {
    return {
      open: this.#open.size,
      unsentCalls: this.#waiting.size,
      places: this.#places,
      placed: this.#bytes,
    }
  }

  call(body: unknown, { timeout, signal }: CallOptions = {}): Promise<unknown> {
    const refusal = this.#failure ?? this.#refusal(timeout, signal)
    if (refusal) return rejection(refusal, { peer: this.#options.peer().address, site: siteHere() })
    const site = this.pending < CALLS_WITH_SITE ? cheapSite() : undefined
    return new Promise(resolve => {
      const call: Call = { id: 0, body, bytes: 0, resolve, site }
      if (timeout !== undefined && timeout <= MAX_TIMER_MS) {
        call.timer = later(() => this.#drop(call, this.#timedOut(timeout)), timeout)
      }
      if (signal) {
        call.unlisten = onAbort(signal, () => this.#drop(call, this.#cancelled(signal)))
      }
      const idle = this.pending === 0
      if (this.#waiting.size > 0 || !this.#room) call.place = this.#waiting.push(call)
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
    this.#leave(call)
    this.#fill()
    return true
  }

  /** A reply has come. False: no call with this id was ever made. */
  reply(id: number, body: unknown): boolean {
    const call = this.#open.get(id)
    // A reply to a call that was cancelled, timed out or answered already is late, not wrong.
    if (!call) return id <= this.#open.lastId
    this.#settled(call)
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

  /** The callee is gone: every open call and every later one rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    if (this.#failure) return
    this.#failure = reason
    const calls = [...this.#open.drain(), ...this.#waiting.drain()]
    for (const call of calls) {
      release(call)
      this.#reject(call, reason)
    }
    this.#places = this.#bytes = 0
    if (calls.length > 0) this.#options.onBusy(false)
  }

  #send(call: Call): void {
    const id = this.#open.add(call)
    const { outbox, maxFrame } = this.#options
    try {
      const tooMuch = outbox.overflow()
      if (tooMuch) throw tooMuch
      // A broken pipe fails no call by itself: replies may still be on their way, and the exit tells more.
      outbox.add(writeRequest, id, call.body, maxFrame())
      if (this.#open.get(id) !== call) return // a getter of its body has given it up
      call.bytes = outbox.lineBytes || 1 // a broken pipe has written none
      this.#bytes += call.bytes
      this.#places++
    } catch (error) {
      release(call)
      this.#open.delete(call)
      this.#reject(call, error as WatError)
    }
    call.body = undefined
  }

  #drop(call: Call, reason: WatError): void {
    const waits = call.place !== undefined && this.#waiting.remove(call.place)
    if (!waits) this.#options.outbox.push(cancelFrame(call.id))
    this.#settled(call)
    this.#reject(call, reason)
  }

  #reject(call: Call, error: WatError, far = false): void {
    call.resolve(rejection(error, { peer: this.#options.peer().address, site: call.site, far }))
  }

  #settled(call: Call): void {
    release(call)
    this.#open.delete(call)
    this.#leave(call)
    this.#fill()
    if (this.pending === 0) this.#options.onBusy(false)
  }

  /** Whether the callee has room for another request. */
  get #room(): boolean {
    if (this.#open.size >= (this.#options.maxInFlight ?? Infinity)) return false
    if (!this.#credit) return this.#options.maxInFlight !== undefined || this.#places < CALL_PLACES
    return this.#places < CALL_PLACES && this.#bytes < CALL_WINDOW_BYTES
  }

  #leave(call: Call): void {
    if (call.bytes === 0) return
    this.#places--
    this.#bytes -= call.bytes
    call.bytes = 0
  }

  #fill(): void {
    if (this.#waiting.size === 0) return
    // A getter of a value that is being written has made room.
    if (this.#options.outbox.busy) return queueMicrotask(() => this.#fill())
    while (this.#waiting.size > 0 && this.#room) this.#send(this.#waiting.shift() as Call)
  }

  /** Why a call is not even begun. */
  #refusal(timeout: unknown, signal: AbortSignal | undefined): WatError | undefined {
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout === timeout)) return noTime(timeout)
    if (signal?.aborted) return this.#cancelled(signal)
    return this.#waiting.size >= MAX_WAITING_CALLS ? this.#overloaded() : undefined
  }

  #timedOut(timeout: number): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('timeout', `no reply from ${name} within ${timeout} ms`, {
      address,
      data: { timeout },
    })
  }

  #cancelled(signal: GlobalSignal): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('cancelled', `the call to ${name} was cancelled`, { address, cause: signal.reason })
  }

  #overloaded(): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('overloaded', `${MAX_WAITING_CALLS} calls to ${name} wait already`, { address })
  }
}

function noTime(timeout: unknown): WatError {
  return new WatError('denied', `timeout is a number of milliseconds, not ${describe(timeout)}`)
}

function release(call: Call): void {
  clearTimeout(call.timer)
  call.unlisten?.()
}
