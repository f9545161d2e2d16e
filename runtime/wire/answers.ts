import { WatError } from '../error.ts'
import type { AnswersOptions } from './answers-options.ts'
import { tooManyRequests } from './broken-pipe.ts'
import { Handling, type Item } from './handling.ts'
import type { Head } from './head.ts'
import { RefAnswers } from './ref-answers.ts'
import type { Service } from './service.ts'
import { Turns } from './turns.ts'

/** What a request or a value takes besides its body, about: the smallest come in millions. */
const ITEM_BYTES = 160

/** The callee's side of request and reply: what waits for a handler, and what is handled. */
export class Answers {
  /** Resolves when no more will come, and everything taken has been answered or is no longer wanted. */
  readonly done: Promise<void>
  /** What requests are told that nobody handles. */
  refusal: WatError | undefined
  #finish!: () => void
  #service: Service | undefined
  #ended = false
  #stopped = false
  #beginning = false
  /** Without a handler requests wait for one, else for a place. */
  readonly #turns = new Turns()
  readonly #handling: Handling
  readonly #refs: RefAnswers
  readonly #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
    this.#handling = new Handling(options, () => this.#onSettled())
    this.#refs = new RefAnswers(this.#handling, options, () => this.check())
    this.done = new Promise(resolve => (this.#finish = resolve))
  }

  get serving(): boolean {
    return this.#service !== undefined
  }

  /** Whether whatever serves takes bodies that are not read. */
  get lazy(): boolean {
    return this.#service?.lazy === true
  }

  /** Whether handlers run, or wait to, whose answers somebody waits for. */
  get busy(): boolean {
    return this.#handling.wanted > 0 || this.#refs.size > 0 || this.#options.working()
  }

  /** Whether what comes is not handled but refused. */
  get declines(): boolean {
    return this.#stopped || (!this.#service && this.refusal !== undefined)
  }

  /** What waits to be begun, in bytes, about. */
  get waitingBytes(): number {
    return this.#turns.bytes + this.#refs.bytes
  }

  /** Of that, what waits for references. */
  get waitingForRefs(): number {
    return this.#refs.bytes
  }

  /** Whether more waits for one of them than a caller may send. */
  get overfull(): boolean {
    return this.#refs.overfull > 0
  }

  /** @internal What is going on, each as a number: all are 0 where everything has been answered. */
  get load(): Record<string, number> {
    return {
      handled: this.#handling.size,
      inFlight: this.#handling.inFlight,
      wanted: this.#handling.wanted,
      waiting: this.#turns.size + this.#refs.size,
      waitingBytes: this.waitingBytes,
      unordered: this.#handling.plain.size,
    }
  }

  /** Whether another item could begin soon. */
  get wanted(): boolean {
    const { plain } = this.#handling
    const slots = this.#service?.concurrency ?? 0
    const most = this.#options.maxFrame
    return this.#turns.size < slots && plain.size < slots && plain.bytes < most && this.#refs.bytes < most
  }

  /** From now on it is answered; what `drain` gives goes before the requests that have waited for it. */
  serve(service: Service, drain: () => { value: unknown; bytes: number }[]): void {
    if (this.#service) throw new WatError('denied', 'this process is serving already')
    this.#service = service
    for (const { value, bytes } of drain()) this.#turns.pushEarlier(value, bytes)
    this.#next()
  }

  /** A request has come, of about so many bytes. */
  request(id: number, body: unknown, bytes: number, head?: Head): void {
    const item: Item = { id, body, bytes: bytes + ITEM_BYTES, head, turn: 0 }
    if (this.#service && !this.#stopped) return this.#take(item)
    if (this.declines) return this.reject(item)
    // A program that reads its values by hand must not have to hold requests without bound to get at them.
    if (!this.#service && this.#turns.bytes >= this.#options.maxFrame)
      return this.reject(item, tooManyRequests(this.#options.maxFrame))
    this.#take(item)
  }

  /** The same, to a reference. */
  requestTo(service: Service, id: number, body: unknown, bytes: number, head: Head): void {
    const item = { id, body, bytes: bytes + ITEM_BYTES, head, turn: 0 }
    // What is in flight is finished.
    if (this.#stopped && !service.isWork) return this.reject(item)
    this.#refs.request(service, item)
  }

  /** A plain value has come, and somebody serves. */
  value(body: unknown, bytes: number): void {
    if (this.#stopped) return this.#options.onTaken(bytes)
    this.#take({ id: undefined, body, bytes, turn: 0 })
  }

  /** The caller no longer wants the reply. */
  cancel(id: number): void {
    if (this.#handling.cancel(id)) return
    if (this.#turns.remove(id)) this.#next()
    else this.#refs.cancel(id)
  }

  /** A reference works no more: what it is asked is over. */
  withdraw(service: Service, reason: WatError): void {
    this.#refs.withdraw(service, reason)
    this.#handling.withdraw(service, reason)
  }

  /** No more will come. */
  end(): void {
    this.#ended = true
    this.check()
  }

  /** Nobody serves: until somebody does, requests are answered with `refusal`. */
  decline(refusal: WatError): void {
    if (this.#stopped) return // that says more
    this.refusal = refusal
    if (!this.#service) this.#drop(this.#turns.drain())
  }

  /** Nothing more is begun: what waits and what still comes is answered with `refusal`. */
  refuse(refusal: WatError): void {
    this.#stopped = true
    this.refusal = refusal
    this.#drop([...this.#turns.drain(), ...this.#refs.drain()])
    this.end()
  }

  /** Aborts what is being handled, and begins nothing more: whoever asked is gone. */
  abandon(reason: WatError): void {
    this.#handling.abandon(reason)
    this.refuse(reason)
  }

  /** The caller counts from now on what has not begun: it is told of all that has. */
  tellBegun(): void {
    this.#handling.tellBegun()
  }

  /** There may be room again for what could not begin. */
  resume(): void {
    if (this.#turns.size > 0) this.#next()
    if (this.#refs.size > 0) this.#refs.resume()
  }

  /** It is not begun: without an error of its own it is told what everybody is. */
  reject({ id, bytes, head }: Item, error?: WatError): void {
    head?.arrival?.turnAway()
    if (id === undefined) this.#options.onTaken(bytes)
    else this.#options.refuse(id, error)
  }

  /** These are not begun. */
  #drop(items: Item[]): void {
    for (const item of items) this.reject(item)
    this.check()
  }

  #take(item: Item): void {
    const may = this.#mayBegin(item)
    if (may && this.#turns.empty) return this.#handling.begin(this.#service as Service, item)
    this.#turns.push(item)
    if (may) this.#next() // those that came before may wait for something else
  }

  #mayBegin({ id }: Item): boolean {
    const service = this.#service
    if (!service?.free) return false
    if (id !== undefined) return this.#options.room()
    return this.#options.plainRoom() && this.#handling.plain.size < service.concurrency
  }

  /** The one that came first, of those that may begin. */
  #next(): void {
    if (this.#beginning) return // a reply that was written made room: who writes it looks again
    this.#beginning = true
    try {
      let item: Item | undefined
      while ((item = this.#turns.next(one => this.#mayBegin(one))))
        this.#handling.begin(this.#service as Service, item)
    } finally {
      this.#beginning = false
    }
    this.check()
  }

  #onSettled(): void {
    if (this.#turns.empty) this.check()
    else this.#next()
  }

  /** Whether everything has been answered may have changed. */
  check(): void {
    if (!this.#ended || this.#options.working()) return
    if (this.#handling.wanted === 0 && this.#turns.size === 0 && this.#refs.size === 0) this.#finish()
  }
}
