import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import type { Arrival } from './refs/arrival.ts'
import type { Head } from './head.ts'
import type { Request } from './handler.ts'
import type { Slot } from './plain-answers.ts'
import type { Service } from './service.ts'
import { later } from './timers.ts'

/** Who answers a request. */
interface Answerer {
  reply(request: OpenRequest, value: unknown): void
  abort(request: OpenRequest, reason: WatError): void
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({})

/** What the handler sees of a request. What most never ask for is made when it is asked for. */
export class OpenRequest implements Request {
  readonly id: number | undefined
  readonly deadline: number | undefined
  readonly meta: Readonly<Record<string, unknown>>
  /** @internal The handler has answered, and works on. */
  repliedEarly = false
  #answered = false
  #aborted = false
  #reason: WatError | undefined
  #controller: AbortController | undefined
  #callbacks: Set<(reason: WatError) => void> | undefined
  #onBegun: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #watched = false
  #passing: Arrival[] | undefined
  readonly #service: Service
  readonly #slot: Slot | undefined
  readonly #answerer: Answerer

  /** @internal `slot`: where the answer to a plain value goes. */
  constructor(
    id: number | undefined,
    head: Head | undefined,
    service: Service,
    slot: Slot | undefined,
    answerer: Answerer,
  ) {
    this.id = id
    this.deadline = head?.timeoutMs === undefined ? undefined : Date.now() + head.timeoutMs
    this.meta = head?.meta ?? NOTHING
    this.#service = service
    this.#slot = slot
    this.#answerer = answerer
  }

  get signal(): GlobalSignal {
    this.#watch()
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  reply(value: unknown): void {
    this.#answerer.reply(this, value)
  }

  /** @internal */
  get service(): Service {
    return this.#service
  }

  /** @internal */
  get slot(): Slot | undefined {
    return this.#slot
  }

  /** @internal */
  get answered(): boolean {
    return this.#answered
  }

  /** @internal */
  get aborted(): boolean {
    return this.#aborted
  }

  /** @internal The same as the abort of its signal, for less. What it gives takes that back. */
  onAbort(callback: (reason: WatError) => void): () => void {
    this.#watch()
    const callbacks = (this.#callbacks ??= new Set())
    callbacks.add(callback)
    return () => void callbacks.delete(callback)
  }

  /** @internal Calls back once, when it has begun where it is passed on to. */
  onBegun(callback: () => void): void {
    this.#onBegun = callback
  }

  /** @internal It has begun there. */
  begin(): void {
    this.#onBegun?.()
    this.#onBegun = undefined
  }

  /** @internal References that only pass: they are let go when it has been answered. */
  pass(arrival: Arrival | undefined): void {
    if (arrival && this.#service.relays) (this.#passing ??= []).push(arrival)
  }

  /** @internal Its answer has been written, or never will be. */
  answer(): void {
    this.#answered = true
    if (this.#passing) for (const arrival of this.#passing) arrival.passOn()
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** @internal */
  abort(reason: WatError): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    if (this.#timer) clearTimeout(this.#timer)
    this.#controller?.abort(reason)
    for (const callback of this.#callbacks ?? []) callback(reason)
  }

  /** The caller cancels at its deadline, too; but a cancel can be late. */
  #watch(): void {
    if (this.#watched) return
    this.#watched = true
    if (this.deadline === undefined || this.#answered || this.#aborted) return
    const reason = new WatError('timeout', 'the deadline of the request has passed')
    this.#timer = later(() => this.#answerer.abort(this, reason), this.deadline - Date.now())
    this.#timer.unref()
  }
}
