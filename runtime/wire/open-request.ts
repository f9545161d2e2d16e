import type { GlobalSignal } from '../ambient.ts'
import { WatError } from '../error.ts'
import type { Callee } from './callable.ts'
import type { Passed, Passer } from './passed.ts'
import type { CallOptions } from './call-options.ts'
import { unread } from './encoded.ts'
import { Forwarding } from './forwarding.ts'
import type { Arrival } from './refs/arrival.ts'
import type { Head } from './head.ts'
import type { Request } from './handler.ts'
import type { Slot } from './plain-answers.ts'
import type { Service } from './service.ts'
import { later } from './timers.ts'
import type { Unread } from './unread.ts'

/** Who answers a request. */
interface Answerer {
  reply(request: OpenRequest, value: unknown): void
  abort(request: OpenRequest, reason: WatError): void
  /** It was passed on, and has been answered there or cannot be. */
  settled(request: OpenRequest, outcome: unknown, failed: boolean): void
  /** It was passed on, and has begun there. */
  hasBegun(request: OpenRequest): void
}

/** What few requests have. */
interface Rare {
  repliedEarly?: true
  reason?: WatError
  controller?: AbortController
  callbacks?: Set<(reason: WatError) => void>
  timer?: NodeJS.Timeout
  watched?: true
  passing?: Arrival[]
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({})

/** What the handler sees of a request. It is made for each of millions: what most never ask for is made when it is asked for. */
export class OpenRequest implements Request, Passed {
  readonly id: number | undefined
  /** @internal Its handler runs, and somebody waits for what it answers. */
  wanted = false
  #answered = false
  #aborted = false
  #rare: Rare | undefined
  readonly #due: number | undefined
  readonly #head: Head | undefined
  #body: unknown
  /** What it takes on the wire, about. */
  readonly #bytes: number
  #there: Passer | undefined
  #thereCall: object | undefined
  readonly #service: Service
  readonly #slot: Slot | undefined
  readonly #answerer: Answerer

  /** @internal `slot`: where the answer to a plain value goes. */
  constructor(
    id: number | undefined,
    body: unknown,
    bytes: number,
    head: Head | undefined,
    service: Service,
    slot: Slot | undefined,
    answerer: Answerer,
  ) {
    this.id = id
    this.#body = body
    this.#bytes = bytes
    this.#due = head?.timeoutMs === undefined ? undefined : Date.now() + head.timeoutMs
    this.#head = head
    this.#service = service
    this.#slot = slot
    this.#answerer = answerer
  }

  get deadline(): number | undefined {
    return this.#due
  }

  get meta(): Readonly<Record<string, unknown>> {
    return this.#head?.meta ?? NOTHING
  }

  get signal(): GlobalSignal {
    this.#watch()
    const rare = this.#more
    rare.controller ??= new AbortController()
    if (rare.reason) rare.controller.abort(rare.reason)
    return rare.controller.signal
  }

  reply(value: unknown): void {
    this.#answerer.reply(this, value)
  }

  forward<R>(callee: Callee, options?: CallOptions): Promise<Unread<R>> {
    return callee.call(this.#body, new Forwarding(this, options ?? {})) as Promise<any>
  }

  /** @internal Its body as its handler wants it. Throws `malformed` for one that is no EDN. */
  takeAs(lazy: boolean): unknown {
    return (this.#body = lazy ? unread(this.#body) : (this.#body as Unread).read())
  }

  /** @internal */
  get body(): unknown {
    return this.#body
  }

  /** @internal */
  get bytes(): number {
    return this.#bytes
  }

  /** @internal */
  passedTo(there: Passer, call: object): void {
    this.#there = there
    this.#thereCall = call
  }

  /** @internal */
  passedBack(body: unknown): void {
    this.#thereCall = undefined
    this.#answerer.settled(this, body, false)
  }

  /** @internal */
  failedThere(error: WatError): void {
    this.#thereCall = undefined
    this.#answerer.settled(this, error, true)
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

  /** @internal The handler has answered, and works on. */
  get repliedEarly(): boolean {
    return this.#rare?.repliedEarly === true
  }

  /** @internal */
  replyEarly(): void {
    this.#more.repliedEarly = true
  }

  /** @internal The same as the abort of its signal, for less. What it gives takes that back. */
  onAbort(callback: (reason: WatError) => void): () => void {
    this.#watch()
    const callbacks = (this.#more.callbacks ??= new Set())
    callbacks.add(callback)
    return () => void callbacks.delete(callback)
  }

  /** @internal It has begun where it is passed on to. */
  begin(): void {
    if (this.#service.relays) this.#answerer.hasBegun(this)
  }

  /** @internal References that only pass: they are let go when it has been answered. */
  pass(arrival: Arrival | undefined): void {
    if (arrival && this.#service.relays) (this.#more.passing ??= []).push(arrival)
  }

  /** @internal Its answer has been written, or never will be. */
  answer(): void {
    this.#answered = true
    const rare = this.#rare
    if (!rare) return
    if (rare.passing) for (const arrival of rare.passing) arrival.passOn()
    clearTimeout(rare.timer)
  }

  /** @internal */
  abort(reason: WatError): void {
    if (this.#aborted) return
    this.#aborted = true
    const rare = this.#more
    rare.reason = reason
    clearTimeout(rare.timer)
    if (this.#thereCall) this.#there?.giveUp(this.#thereCall, reason)
    rare.controller?.abort(reason)
    for (const callback of rare.callbacks ?? []) callback(reason)
  }

  get #more(): Rare {
    return (this.#rare ??= {})
  }

  /** The caller cancels at its deadline, too; but a cancel can be late. */
  #watch(): void {
    const rare = this.#more
    if (rare.watched) return
    rare.watched = true
    if (this.#due === undefined || this.#answered || this.#aborted) return
    const reason = new WatError('timeout', 'the deadline of the request has passed')
    rare.timer = later(() => this.#answerer.abort(this, reason), this.#due - Date.now())
    rare.timer.unref()
  }
}
