import type { Item } from './handling.ts'
import { Waiting } from './waiting.ts'

/** Requests and plain values that wait to be begun. Those of one kind go in the order in which they came. */
export class Turns {
  /** What they hold, about. */
  bytes = 0
  #turn = 0
  readonly #requests = new Waiting<Item>()
  readonly #values = new Waiting<Item>()

  get empty(): boolean {
    return this.bytes === 0 // none takes no bytes
  }

  get size(): number {
    return this.#requests.size + this.#values.size
  }

  push(item: Item, turn = this.#turn++): void {
    this.bytes += item.bytes
    item.turn = turn
    const kind = item.id === undefined ? this.#values : this.#requests
    kind.push(item)
  }

  /** A plain value that came before everything else here. */
  pushEarlier(body: unknown, bytes: number): void {
    this.push({ id: undefined, body, bytes, turn: -1 }, -1)
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
    request?.head?.arrival?.turnAway()
    return request !== undefined
  }

  /** Takes out all. */
  drain(): Item[] {
    this.bytes = 0
    return [...this.#requests.drain(), ...this.#values.drain()]
  }
}
