import { WatError } from '../error.ts'
import { Begun } from './begun.ts'
import type { AnswersOptions } from './answers-options.ts'
import { tooManyRequests } from './broken-pipe.ts'
import { isThenable, type Handler } from './handler.ts'
import { OpenRequest } from './open-request.ts'
import { PlainAnswers, type Slot } from './plain-answers.ts'
import { Turns, type Item } from './turns.ts'

/** What a request or a value takes besides its body, about: the smallest come in millions. */
const ITEM_BYTES = 64

/** The callee's side of request and reply: what waits for a handler, and what is handled. */
export class Answers {
  /** Resolves when no more will come, and everything taken has been answered or is no longer wanted. */
  readonly done: Promise<void>
  /** What requests are told that nobody handles. */
  refusal: WatError | undefined
  #finish!: () => void
  #handler: Handler | undefined
  #concurrency = 0
  #ended = false
  #stopped = false
  #beginning = false
  /** Handlers that run, and those of them whose answer somebody waits for. */
  #inFlight = 0
  #wantedAnswers = 0
  /** Without a handler requests wait for one, else for a place. */
  readonly #turns = new Turns()
  readonly #open = new Map<number | symbol, OpenRequest>()
  readonly #plain: PlainAnswers
  readonly #begun: Begun
  readonly #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
    this.#plain = new PlainAnswers(options.push)
    this.#begun = new Begun(id => this.#open.has(id), options.onBegun)
    this.done = new Promise(resolve => (this.#finish = resolve))
  }

  get serving(): boolean {
    return this.#handler !== undefined
  }

  /** Whether what comes is not handled but refused. */
  get declines(): boolean {
    return this.#stopped || (!this.#handler && this.refusal !== undefined)
  }

  /** What waits to be begun, in bytes, about. */
  get waitingBytes(): number {
    return this.#turns.bytes
  }

  /** @internal What is going on, each as a number: all are 0 where everything has been answered. */
  get load(): Record<string, number> {
    return {
      handled: this.#open.size,
      inFlight: this.#inFlight,
      wanted: this.#wantedAnswers,
      waiting: this.#turns.size,
      waitingBytes: this.#turns.bytes,
      unordered: this.#plain.size,
    }
  }

  /** Whether another item could begin soon. */
  get wanted(): boolean {
    const plain = this.#plain
    const slots = this.#concurrency
    return this.#turns.size < slots && plain.size < slots && plain.bytes < this.#options.maxFrame
  }

  /** From now on `handler` answers; what `drain` gives goes before the requests that have waited for it. */
  serve(handler: Handler, concurrency: number, drain: () => { value: unknown; bytes: number }[]): void {
    if (this.#handler) throw new WatError('denied', 'this process is serving already')
    this.#handler = handler
    this.#concurrency = concurrency
    for (const { value, bytes } of drain()) this.#turns.pushEarlier(value, bytes)
    this.#next()
  }

  /** A request has come, of about so many bytes. */
  request(id: number, body: unknown, bytes: number): void {
    if (this.declines) return this.#options.refuse(id)
    // A program that reads its values by hand must not have to hold requests without bound to get at them.
    if (!this.#handler && this.#turns.bytes >= this.#options.maxFrame)
      return this.#options.refuse(id, tooManyRequests(this.#options.maxFrame))
    this.#take({ id, body, bytes: bytes + ITEM_BYTES })
  }

  /** A plain value has come, and somebody serves. */
  value(body: unknown, bytes: number): void {
    if (this.#stopped) return this.#options.onTaken(bytes)
    this.#take({ id: undefined, body, bytes })
  }

  /** The caller no longer wants the reply. */
  cancel(id: number): void {
    const open = this.#open.get(id)
    if (open) return this.#abort(open, new WatError('cancelled', 'the caller no longer wants the reply'))
    if (this.#turns.remove(id)) this.#next()
  }

  /** No more will come. */
  end(): void {
    this.#ended = true
    this.#check()
  }

  /** Nobody serves: until somebody does, requests are answered with `refusal`. */
  decline(refusal: WatError): void {
    this.refusal = refusal
    if (!this.#handler) this.#drop()
  }

  /** Nothing more is begun: what waits and what still comes is answered with `refusal`. */
  refuse(refusal: WatError): void {
    this.#stopped = true
    this.refusal = refusal
    this.#drop()
    this.end()
  }

  /** Aborts what is being handled, and begins nothing more: whoever asked is gone. */
  abandon(reason: WatError): void {
    for (const open of this.#open.values()) this.#abort(open, reason)
    this.refuse(reason)
  }

  /** The caller counts from now on what has not begun: it is told of all that has. */
  tellBegun(): void {
    const ids = [...this.#open.keys()].filter(key => typeof key === 'number')
    if (ids.length > 0) this.#options.onBegun(ids)
  }

  /** There may be room again for what could not begin. */
  resume(): void {
    if (this.#turns.size > 0) this.#next()
  }

  #abort(open: OpenRequest, reason: WatError): void {
    if (open.aborted) return
    this.#wantedAnswers--
    open.abort(reason)
    this.#check()
  }

  /** Whatever waits is not begun. */
  #drop(): void {
    for (const { id, bytes } of this.#turns.drain()) {
      if (id === undefined) this.#options.onTaken(bytes)
      else this.#options.refuse(id)
    }
    this.#check()
  }

  #take(item: Item): void {
    const may = this.#mayBegin(item)
    if (may && this.#turns.size === 0) return this.#begin(item)
    this.#turns.push(item)
    if (may) this.#next() // those that came before may wait for something else
  }

  #mayBegin({ id }: Item): boolean {
    if (!this.#handler || this.#inFlight >= this.#concurrency) return false
    if (id !== undefined) return this.#options.room()
    return this.#options.plainRoom() && this.#plain.size < this.#concurrency
  }

  /** The one that came first, of those that may begin. */
  #next(): void {
    if (this.#beginning) return // a reply that was written made room: who writes it looks again
    this.#beginning = true
    try {
      let item: Item | undefined
      while ((item = this.#turns.next(one => this.#mayBegin(one)))) this.#begin(item)
    } finally {
      this.#beginning = false
    }
    this.#check()
  }

  #begin({ id, body, bytes }: Item): void {
    if (id === undefined) this.#options.onTaken(bytes)
    const request = new OpenRequest(id)
    const slot = id === undefined ? this.#plain.next() : undefined
    let result: unknown
    let later: boolean
    try {
      const handler = this.#handler as Handler // called on nothing: our inside is none of its business
      result = handler(body, request)
      later = isThenable(result)
    } catch (error) {
      return this.#fail(id, request, slot, error)
    }
    if (later) void this.#await(result, bytes, request, slot)
    else this.#answer(id, request, slot, result)
  }

  /** `await` settles once, whatever a thenable that is no promise does: throws, calls back twice, or both. */
  async #await(result: unknown, bytes: number, request: OpenRequest, slot: Slot | undefined): Promise<void> {
    const { id } = request
    this.#inFlight++
    this.#wantedAnswers++
    const key = id === undefined || this.#open.has(id) ? Symbol('no id of its own') : id
    this.#open.set(key, request)
    if (id !== undefined) this.#begun.add(id, bytes)
    let outcome: unknown
    let failed = false
    try {
      outcome = await result
    } catch (error) {
      outcome = error
      failed = true
    }
    this.#inFlight--
    if (!request.aborted) this.#wantedAnswers--
    this.#open.delete(key)
    if (failed) this.#fail(id, request, slot, outcome)
    else this.#answer(id, request, slot, outcome)
    this.#next()
    this.#options.onRoom()
  }

  #answer(id: number | undefined, request: OpenRequest, slot: Slot | undefined, value: unknown): void {
    const body = value === undefined ? null : value
    try {
      if (slot) this.#plain.settle(slot, this.#options.plainLine(body))
      else if (id !== undefined && !request.aborted) this.#options.reply(id, body)
    } catch (error) {
      this.#fail(id, request, slot, error)
    }
  }

  #fail(id: number | undefined, request: OpenRequest, slot: Slot | undefined, error: unknown): void {
    if (slot) {
      this.#options.onPlainFailed(error)
      this.#plain.settle(slot, NOTHING)
    } else if (id !== undefined && !request.aborted) this.#options.fail(id, error)
  }

  #check(): void {
    if (this.#ended && this.#wantedAnswers === 0 && this.#turns.size === 0) this.#finish()
  }
}

const NOTHING = new Uint8Array(0)
