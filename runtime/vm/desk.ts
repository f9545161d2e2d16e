import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import { Queue } from '../wire/queue.ts'
import { identity } from './identity.ts'
import { reportFault } from './log.ts'
import type { Port } from './port.ts'
import type { Item, Server } from './server.ts'
import { Waiting } from './waiting.ts'

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
  readonly #waiting = new Waiting<Item>()
  #open = new Map<number | symbol, Open>()
  /** Answers to plain values that wait for an earlier one; they must come in order. */
  readonly #order = new Queue<{ text: string | undefined; settled: boolean }>()
  #orderChars = 0
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
    const slots = this.#concurrency
    return this.#waiting.size < slots && this.#order.size < slots && this.#orderChars < identity.maxFrame
  }

  onItem(item: Item): void {
    if (this.#inFlight >= this.#concurrency || this.#waiting.size > 0) this.#waiting.push(item)
    else this.#handle(item)
  }

  onCancel(id: number): void {
    this.#waiting.remove(id)
    this.#open.get(id)?.abort(new WatError('cancelled', 'the caller no longer wants the reply'))
  }

  onEnd(): void {
    this.#ended = true
    this.#check()
  }

  /** Drops what has not been begun: a stop has come. */
  refuseWaiting(): void {
    for (const { id } of this.#waiting.drain()) {
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
    let later: boolean
    try {
      const handler = this.#handler // called on nothing: our inside is none of its business
      result = handler(item.body, request)
      later = isThenable(result)
    } catch (error) {
      return this.#fail(item, request, slot, error)
    }
    if (later) void this.#await(result, item, request, slot)
    else this.#answer(item, request, slot, result)
  }

  /** `await` settles once, whatever a thenable that is no promise does: throws, calls back twice, or both. */
  async #await(result: unknown, item: Item, request: OpenRequest, slot: Slot): Promise<void> {
    this.#inFlight++
    const key = item.id ?? Symbol('plain value')
    this.#open.set(key, request)
    let outcome: unknown
    let failed = false
    try {
      outcome = await result
    } catch (error) {
      outcome = error
      failed = true
    }
    this.#inFlight--
    if (this.#open.get(key) === request) this.#open.delete(key)
    if (failed) this.#fail(item, request, slot, outcome)
    else this.#answer(item, request, slot, outcome)
    this.#next()
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
    this.#orderChars += text.length
    while (this.#order.first?.settled) {
      const { text: ready } = this.#order.shift() as { text: string }
      this.#orderChars -= ready.length
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
    if (this.#ended && this.#inFlight === 0 && this.#waiting.size === 0) this.#finish()
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

/** Throws what a getter or a proxy throws. A function may be one too, and an answer otherwise is not. */
function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}
