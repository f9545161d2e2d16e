import { WatError } from '../error.ts'
import type { AnswersOptions } from './answers-options.ts'
import { Begun } from './begun.ts'
import { isThenable } from './handler.ts'
import type { Head } from './head.ts'
import { OpenRequest } from './open-request.ts'
import { isAsyncIterable, whenClosed } from './iterable.ts'
import { STREAM_BATCH_BYTES } from './limits.ts'
import { PlainAnswers, type Slot } from './plain-answers.ts'
import { Batches } from './refs/batches.ts'
import type { Service } from './service.ts'
import { Unread } from './unread.ts'

/** One thing to be answered: a request, or a plain value to somebody who serves. */
export interface Item {
  readonly id: number | undefined
  readonly body: unknown
  readonly bytes: number
  readonly head?: Head | undefined
  /** Its place among all that waits, when it waits. */
  turn: number
}

/** What is being handled on one link, whichever service it is for: from the call of a handler to its answer. */
export class Handling {
  /** Answers to plain values that wait for those before them. */
  readonly plain: PlainAnswers
  /** Handlers that run, and those of them whose answer somebody waits for. One that answers at once never counts. */
  inFlight = 0
  wanted = 0
  readonly #open = new Map<number | symbol, OpenRequest>()
  readonly #begun: Begun
  readonly #options: AnswersOptions
  readonly #onSettled: () => void

  /** `onSettled`: something is no longer in flight, or no longer wanted. */
  constructor(options: AnswersOptions, onSettled: () => void) {
    this.#options = options
    this.#onSettled = onSettled
    this.plain = new PlainAnswers(options.push)
    this.#begun = new Begun(id => this.#open.has(id), options.onBegun)
  }

  /** Requests that are being handled. */
  get size(): number {
    return this.#open.size
  }

  begin(service: Service, { id, body, bytes, head }: Item): void {
    if (id === undefined) this.#options.onTaken(bytes)
    const slot = id === undefined ? this.plain.next() : undefined
    const request = new OpenRequest(id, body, bytes, head, service, slot, this)
    if (head?.arrival) request.pass(head.arrival)
    const route = body instanceof Unread && id !== undefined ? service.relays?.route?.() : undefined
    if (route && !this.#open.has(id as number)) {
      this.#enter(id as number, request)
      return route.pass(request)
    }
    let result: unknown
    let later: boolean
    try {
      const { handler } = service // called on nothing: our inside is none of its business
      result = handler(service.lazy === body instanceof Unread ? body : request.takeAs(service.lazy), request)
      later = isThenable(result) || (slot !== undefined && isAsyncIterable(result))
    } catch (error) {
      return this.#fail(request, error)
    }
    if (later) void this.#await(result, request)
    else this.#answer(request, result)
  }

  /** The handler answers before it has ended. Throws `denied` the second time, and what the value is refused with. */
  reply(request: OpenRequest, value: unknown): void {
    if (request.answered) throw new WatError('denied', 'this request has been answered')
    this.#write(request, value)
    request.replyEarly()
  }

  /** The caller no longer wants the reply. False when no such request is being handled. */
  cancel(id: number): boolean {
    const request = this.#open.get(id)
    if (!request) return false
    this.abort(request, new WatError('cancelled', 'the caller no longer wants the reply'))
    return true
  }

  /** Nobody waits for its answer any more. */
  abort(request: OpenRequest, reason: WatError): void {
    if (request.aborted) return
    this.#unwanted(request)
    request.abort(reason)
    this.#onSettled()
  }

  /** Whoever asked is gone. */
  abandon(reason: WatError): void {
    for (const request of this.#open.values()) this.abort(request, reason)
  }

  /** What a service has begun is over: it fails, and its signal aborts. */
  withdraw(service: Service, reason: WatError): void {
    for (const request of this.#open.values()) if (request.service === service) this.#end(request, reason)
  }

  /** The caller counts from now on what has not begun: it is told of all that has. */
  tellBegun(): void {
    const ids = [...this.#open.keys()].filter(key => typeof key === 'number')
    if (ids.length > 0) this.#options.onBegun(ids)
  }

  /** Its handler goes on. */
  #enter(key: number | symbol, request: OpenRequest): void {
    this.inFlight++
    this.wanted++
    request.wanted = true
    request.service.enter()
    this.#open.set(key, request)
  }

  #unwanted(request: OpenRequest): void {
    if (!request.wanted) return // its handler has ended, or answered at once
    request.wanted = false
    this.wanted--
  }

  /** Its handler has ended. */
  #leave(key: number | symbol, request: OpenRequest, outcome: unknown, failed: boolean): void {
    this.inFlight--
    this.#unwanted(request)
    this.#open.delete(key)
    if (failed) this.#fail(request, outcome)
    else this.#answer(request, outcome)
    request.service.leave()
    this.#onSettled()
    this.#options.onRoom()
  }

  settled(request: OpenRequest, outcome: unknown, failed: boolean): void {
    this.#leave(request.id as number, request, outcome, failed)
    if (outcome instanceof Unread) outcome.spend()
  }

  hasBegun({ id, bytes }: OpenRequest): void {
    if (id !== undefined) this.#begun.add(id, bytes)
  }

  /** `await` settles once, whatever a thenable that is no promise does: throws, calls back twice, or both. */
  async #await(result: unknown, request: OpenRequest): Promise<void> {
    const { id, service } = request
    const key = id === undefined || this.#open.has(id) ? Symbol('no id of its own') : id
    this.#enter(key, request)
    if (!service.relays) this.hasBegun(request)
    if (service.over) this.#end(request, service.over) // by the handler itself, before it gave its promise
    let outcome: unknown
    let failed = false
    try {
      outcome = await result
      if (request.slot && isAsyncIterable(outcome))
        outcome = await this.#print(outcome, request.slot, request)
    } catch (error) {
      outcome = error
      failed = true
    }
    this.#leave(key, request, outcome, failed)
  }

  /** A stream that answers a plain value is printed, each item on its own, as fast as they are taken. */
  async #print(items: AsyncIterable<unknown>, slot: Slot, request: OpenRequest): Promise<typeof PRINTED> {
    await this.plain.turn(slot)
    const batches = new Batches(items)
    whenClosed(items, () => this.abort(request, unread()))
    try {
      for (;;) {
        const batch = await batches.next(STREAM_BATCH_BYTES)
        if (batch.length === 0) return PRINTED
        const taken = batch.map(item => this.#options.print(this.#options.plainLine(item)))
        if (request.aborted || (await Promise.all(taken)).includes(false)) return PRINTED
      }
    } finally {
      await batches.close()
    }
  }

  /** What answers it works no more. */
  #end(request: OpenRequest, reason: WatError): void {
    if (!request.answered) this.#fail(request, reason)
    this.abort(request, reason)
  }

  #answer(request: OpenRequest, value: unknown): void {
    if (request.answered) return
    try {
      this.#write(request, value)
    } catch (error) {
      this.#fail(request, error)
    }
  }

  #write(request: OpenRequest, value: unknown): void {
    const answer = value === undefined ? null : value // one that is nothing is nil
    const body = request.slot && answer instanceof Unread ? answer.read() : answer
    if (isAsyncIterable(body)) whenClosed(body, () => this.abort(request, unread()))
    const { id, slot } = request
    if (slot) this.plain.settle(slot, body === PRINTED ? NOTHING : this.#options.plainLine(body))
    else if (id !== undefined && !request.aborted) this.#options.reply(id, body)
    request.answer()
  }

  #fail(request: OpenRequest, error: unknown): void {
    const { id, slot, service } = request
    if (request.answered) {
      // One that was told that it is over may fail of it.
      if (request.repliedEarly && !(request.aborted && service.over)) this.#options.onFailedLate(error)
      return
    }
    request.answer()
    if (slot) {
      this.#options.onPlainFailed(error)
      this.plain.settle(slot, NOTHING)
    } else if (id !== undefined && !request.aborted) this.#options.fail(id, error)
  }
}

const unread = (): WatError => new WatError('cancelled', 'nobody reads the stream any more')

const NOTHING = new Uint8Array(0)
const PRINTED = Symbol('printed')
