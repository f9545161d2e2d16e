import { Waiting } from './waiting.ts'

/** One thing to be answered: a request, or a plain value to somebody who serves. */
export interface Item {
  readonly id: number | undefined
  readonly body: unknown
  readonly bytes: number
}

/** Requests and plain values that wait to be begun. Those of one kind go in the order in which they came. */
export class Turns {
  /** What they hold, about. */
  bytes = 0
  #turn = 0
  readonly #requests = new Waiting<Item & { turn: number }>()
  readonly #values = new Waiting<Item & { turn: number }>()

  get size(): number {
    return this.#requests.size + this.#values.size
  }

  push({ id, body, bytes }: Item, turn = this.#turn++): void {
    this.bytes += bytes
    ;(id === undefined ? this.#values : this.#requests).push({ id, body, bytes, turn })
  }

  /** A plain value that came before everything else here. */
  pushEarlier(body: unknown, bytes: number): void {
    this.push({ id: undefined, body, bytes }, -1)
  }

  /** Takes out the one that came first, of those that may begin. */
  next(mayBegin: (item: Item) => boolean): Item | undefined {
    const [request, value] = [this.#requests.first, this.#values.first]
    const order = !request || (value && value.turn < request.turn) ? [value, request] : [request, value]
    const next = order.find(item => item && mayBegin(item))
    if (!next) return undefined
    ;(next === value ? this.#values : this.#requests).shift()
    this.bytes -= next.bytes
    return next
  }

  /** Takes out a request; false when there is none with this id. */
  remove(id: number): boolean {
    const request = this.#requests.remove(id)
    this.bytes -= request?.bytes ?? 0
    return request !== undefined
  }

  /** Takes out all. */
  drain(): Item[] {
    this.bytes = 0
    return [...this.#requests.drain(), ...this.#values.drain()]
  }
}
