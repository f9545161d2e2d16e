import { WatError } from '../error.ts'
import { describe } from '../edn/describe.ts'
import { fromFault } from '../edn/fault.ts'
import { cancelFrame, writeRequest } from './frames.ts'
import { onAbort } from './aborts.ts'
import { MAX_TIMER_MS, MAX_WAITING_CALLS } from './limits.ts'
import { OpenCalls, type Numbered } from './open-calls.ts'
import type { Outbox } from './outbox.ts'
import { Queue, type Place } from './queue.ts'
import { later } from './timers.ts'

/** When a call is given up. */
export interface CallOptions {
  /** Milliseconds until the call rejects with `timeout` and is cancelled at the other end; none are left below 1. */
  timeout?: number
  /** Aborting it rejects the call with `cancelled` and cancels it at the other end. */
  signal?: AbortSignal
}

interface Call extends Numbered {
  body: unknown
  resolve(body: unknown): void
  reject(error: WatError): void
  /** While it waits for a place among the open ones. */
  place?: Place<Call>
  timer?: NodeJS.Timeout
  unlisten?: () => void
}

interface CallsOptions {
  outbox: Outbox
  maxInFlight: number
  maxFrame: number
  /** The callee, for error messages. */
  peer: () => { name: string; address: string }
  /** The number of open calls has gone from none to some or back. */
  onBusy(busy: boolean): void
}

/** The caller's side of request and reply: which calls are open, and how each one settles. */
export class Calls {
  readonly #open = new OpenCalls<Call>()
  readonly #waiting = new Queue<Call>()
  #failure: WatError | undefined
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Calls that have not settled, sent or not. */
  get pending(): number {
    return this.#open.size + this.#waiting.size
  }

  call(body: unknown, { timeout, signal }: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      if (timeout !== undefined && !(typeof timeout === 'number' && timeout === timeout))
        return reject(noTime(timeout))
      if (signal?.aborted) return reject(this.#cancelled(signal))
      if (this.#waiting.size >= MAX_WAITING_CALLS) return reject(this.#overloaded())
      const call: Call = { id: 0, body, resolve, reject }
      if (timeout !== undefined && timeout <= MAX_TIMER_MS) {
        call.timer = later(() => this.#drop(call, this.#timedOut(timeout)), timeout)
      }
      if (signal) {
        call.unlisten = onAbort(signal, () => this.#drop(call, this.#cancelled(signal)))
      }
      if (this.pending === 0) this.#options.onBusy(true)
      if (this.#open.size < this.#options.maxInFlight) this.#send(call)
      else call.place = this.#waiting.push(call)
    })
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
    return this.fail(id, fromFault(fault, this.#options.peer().address))
  }

  /** One call cannot be answered. False: no call with this id was ever made. */
  fail(id: number, error: WatError): boolean {
    const call = this.#open.get(id)
    if (!call) return id <= this.#open.lastId
    this.#settled(call)
    call.reject(error)
    return true
  }

  /** The callee is gone: every open call and every later one rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    if (this.#failure) return
    this.#failure = reason
    const calls = [...this.#open.drain(), ...this.#waiting.drain()]
    for (const call of calls) {
      release(call)
      call.reject(reason)
    }
    if (calls.length > 0) this.#options.onBusy(false)
  }

  #send(call: Call): void {
    const id = this.#open.add(call)
    const { outbox, maxFrame } = this.#options
    try {
      const tooMuch = outbox.overflow
      if (tooMuch) throw tooMuch
      // A broken pipe fails no call by itself: replies may still be on their way, and the exit tells more.
      outbox.add(writeRequest, id, call.body, maxFrame)
    } catch (error) {
      this.fail(id, error as WatError)
    }
    call.body = undefined
  }

  #drop(call: Call, reason: WatError): void {
    const waits = call.place !== undefined && this.#waiting.remove(call.place)
    if (!waits) this.#options.outbox.push(cancelFrame(call.id))
    this.#settled(call)
    call.reject(reason)
  }

  #settled(call: Call): void {
    release(call)
    this.#open.delete(call)
    const next = this.#open.size < this.#options.maxInFlight ? this.#waiting.shift() : undefined
    if (next) this.#send(next)
    else if (this.pending === 0) this.#options.onBusy(false)
  }

  #timedOut(timeout: number): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('timeout', `no reply from ${name} within ${timeout} ms`, {
      address,
      data: { timeout },
    })
  }

  #cancelled(signal: AbortSignal): WatError {
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
