import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import { reportFault } from './log.ts'
import type { Port } from './port.ts'
import type { Item, Server } from './server.ts'

/** What a handler may want to know besides the body. */
export interface Request {
  /** The caller's id; `undefined` for a plain value. */
  readonly id: number | undefined
  /** Aborts when the caller cancels, times out or dies. */
  readonly signal: GlobalSignal
}

/** What `serve` calls for each request. What it returns, or its promise resolves with, is the reply. */
export type Handler<Req = any, Res = unknown> = (body: Req, request: Request) => Res | Promise<Res>

interface Open {
  abort(reason: WatError): void
}

/**
 * Where requests and plain values of one port are handled, each in its turn.
 * @internal
 */
export class Desk implements Server {
  readonly done: Promise<void>
  #finish!: () => void
  #ended = false
  #inFlight = 0
  #waiting: Item[] = []
  #open = new Map<number | symbol, Open>()
  /** Answers to plain values that wait for an earlier one; they must come in order. */
  #order: { text: string | undefined; settled: boolean }[] = []
  readonly #handler: Handler
  readonly #concurrency: number
  readonly #port: Port
  readonly #onPlainFailed: () => void

  constructor(handler: Handler, concurrency: number, port: Port, onPlainFailed = () => {}) {
    this.#handler = handler
    this.#concurrency = concurrency
    this.#port = port
    this.#onPlainFailed = onPlainFailed
    this.done = new Promise(resolve => (this.#finish = resolve))
  }

  wanted(): boolean {
    return this.#waiting.length < this.#concurrency && this.#order.length < this.#concurrency
  }

  onItem(item: Item): void {
    if (this.#inFlight >= this.#concurrency || this.#waiting.length > 0) this.#waiting.push(item)
    else this.#handle(item)
  }

  onCancel(id: number): void {
    this.#waiting = this.#waiting.filter(item => item.id !== id)
    this.#open.get(id)?.abort(new WatError('cancelled', 'the caller no longer wants the reply'))
  }

  onEnd(): void {
    this.#ended = true
    this.#check()
  }

  /** Drops what has not been begun: a stop has come. */
  refuseWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { id } of waiting) {
      if (id !== undefined) this.#port.fail(id, new WatError('offline', 'the process is stopping'))
    }
    this.#check()
  }

  abandon(reason: WatError): void {
    for (const open of this.#open.values()) open.abort(reason)
  }

  #handle(item: Item): void {
    const request = new OpenRequest(item.id)
    const slot = item.id === undefined ? { text: undefined, settled: false } : undefined
    if (slot) this.#order.push(slot)
    let result: unknown
    try {
      const handler = this.#handler // called on nothing: our inside is none of its business
      result = handler(item.body, request)
    } catch (error) {
      return this.#fail(item, request, slot, error)
    }
    if (!isThenable(result)) return this.#answer(item, request, slot, result)
    this.#inFlight++
    const key = item.id ?? Symbol('plain value')
    this.#open.set(key, request)
    const settle = (act: () => void) => {
      this.#inFlight--
      if (this.#open.get(key) === request) this.#open.delete(key)
      act()
      this.#next()
    }
    result.then(
      value => settle(() => this.#answer(item, request, slot, value)),
      (error: unknown) => settle(() => this.#fail(item, request, slot, error)),
    )
  }

  #answer(item: Item, request: OpenRequest, slot: Slot, value: unknown): void {
    const body = value === undefined ? null : value
    try {
      if (item.id === undefined) this.#inOrder(slot, this.#port.plain(body))
      else if (!request.aborted) this.#port.reply(item.id, body)
    } catch (error) {
      this.#fail(item, request, slot, error)
    }
  }

  #fail(item: Item, request: OpenRequest, slot: Slot, error: unknown): void {
    if (item.id !== undefined) {
      if (!request.aborted) this.#port.fail(item.id, error)
      return
    }
    this.#onPlainFailed()
    reportFault(error)
    this.#inOrder(slot, '')
  }

  #inOrder(slot: Slot, text: string): void {
    if (!slot) return
    slot.text = text
    slot.settled = true
    while (this.#order[0]?.settled) {
      const { text: ready } = this.#order.shift() as { text: string }
      if (ready !== '') this.#port.outbox.push(ready)
    }
    this.#check()
  }

  #next(): void {
    while (this.#inFlight < this.#concurrency) {
      const item = this.#waiting.shift()
      if (!item) break
      this.#handle(item)
    }
    this.#check()
    this.#port.pump()
  }

  #check(): void {
    if (this.#ended && this.#inFlight === 0 && this.#waiting.length === 0) this.#finish()
  }
}

type Slot = { text: string | undefined; settled: boolean } | undefined

/** What the handler sees of a request. The signal is made when it is asked for: most never ask. */
class OpenRequest implements Request, Open {
  readonly id: number | undefined
  aborted = false
  #reason: WatError | undefined
  #controller: AbortController | undefined

  constructor(id: number | undefined) {
    this.id = id
  }

  get signal(): GlobalSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  abort(reason: WatError): void {
    if (this.aborted) return
    this.aborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
