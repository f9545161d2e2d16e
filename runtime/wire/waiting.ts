import { Queue, type Place } from './queue.ts'

/** What waits for its turn, in the order in which it came; what has an id can be taken out by it. */
export class Waiting<T extends { readonly id: number | undefined }> {
  readonly #queue = new Queue<T>()
  readonly #places = new Map<number, Place<T>>()

  get size(): number {
    return this.#queue.size
  }

  get first(): T | undefined {
    return this.#queue.first
  }

  push(item: T): void {
    const place = this.#queue.push(item)
    if (item.id !== undefined) this.#places.set(item.id, place)
  }

  shift(): T | undefined {
    const item = this.#queue.shift()
    if (item) this.#forget(item)
    return item
  }

  /** Takes out the one with this id. */
  remove(id: number): T | undefined {
    const place = this.#places.get(id)
    if (!place || !this.#queue.remove(place)) return undefined
    this.#forget(place.value)
    return place.value
  }

  /** All of them; none are left. */
  drain(): T[] {
    this.#places.clear()
    return this.#queue.drain()
  }

  #forget({ id }: T): void {
    if (id !== undefined) this.#places.delete(id)
  }
}
