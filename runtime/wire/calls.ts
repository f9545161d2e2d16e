import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import { fromFault } from '../edn/fault.ts'
import { cancelFrame, writeRequest } from './frames.ts'
import { MAX_TIMER_MS, MAX_WAITING_CALLS } from './limits.ts'
import { OpenCalls, type Numbered } from './open-calls.ts'
import type { Outbox } from './outbox.ts'

/** When a call is given up. */
export interface CallOptions {
  /** Milliseconds until the call rejects with `timeout` and is cancelled at the other end. */
  timeout?: number | undefined
  /** Aborting it rejects the call with `cancelled` and cancels it at the other end. */
  signal?: GlobalSignal | undefined
}

interface Call extends Numbered {
  body: unknown
  resolve(body: unknown): void
  reject(error: WatError): void
  timer?: NodeJS.Timeout
  unlisten?: () => void
}

/** @internal */
interface CallsOptions {
  outbox: Outbox
  maxInFlight: number
  maxFrame: number
  /** The callee, for error messages. */
  peer: () => { name: string; address: string }
  /** The number of open calls has gone from none to some or back. */
  onBusy(busy: boolean): void
}

/**
 * The caller's side of request and reply: which calls are open, and how each one settles.
 * @internal
 */
export class Calls {
  readonly #open = new OpenCalls<Call>()
  #waiting: Call[] = []
  #failure: WatError | undefined
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Calls that have not settled, sent or not. */
  get pending(): number {
    return this.#open.size + this.#waiting.length
  }

  call(body: unknown, { timeout, signal }: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      if (signal?.aborted) return reject(this.#cancelled(signal))
      if (this.#waiting.length >= MAX_WAITING_CALLS) return reject(this.#overloaded())
      const call: Call = { id: 0, body, resolve, reject }
      if (timeout !== undefined && timeout <= MAX_TIMER_MS) {
        call.timer = setTimeout(() => this.#drop(call, this.#timedOut(timeout)), Math.max(0, timeout))
      }
      if (signal) {
        const onAbort = () => this.#drop(call, this.#cancelled(signal))
        signal.addEventListener('abort', onAbort, { once: true })
        call.unlisten = () => signal.removeEventListener('abort', onAbort)
      }
      if (this.pending === 0) this.#options.onBusy(true)
      if (this.#open.size < this.#options.maxInFlight) this.#send(call)
      else this.#waiting.push(call)
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
    const calls = [...this.#open.drain(), ...this.#waiting]
    this.#waiting = []
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
    const sent = this.#open.get(call.id) === call
    if (sent) this.#options.outbox.push(cancelFrame(call.id))
    else this.#waiting = this.#waiting.filter(other => other !== call)
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

  #cancelled(signal: GlobalSignal): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('cancelled', `the call to ${name} was cancelled`, { address, cause: signal.reason })
  }

  #overloaded(): WatError {
    const { name, address } = this.#options.peer()
    return new WatError('overloaded', `${MAX_WAITING_CALLS} calls to ${name} wait already`, { address })
  }
}

function release(call: Call): void {
  clearTimeout(call.timer)
  call.unlisten?.()
}
