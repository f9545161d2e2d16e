import { isAsyncIterable } from '../iterable.ts'
import { Receiver } from '../receiver.ts'
import { Ref } from './ref.ts'
import { originOf } from './stream-source.ts'
import { streamTarget } from './stream-target.ts'
import type { Here, Target } from './target.ts'

/** The references and streams that a body holds, each with its number in the frame. */
export class Carried {
  readonly targets: Target[] = []
  readonly #numbers = new Map<object, number>()
  readonly #address: () => string
  readonly #here: Here

  /** `address`: this process's. */
  constructor(address: () => string, here: Here) {
    this.#address = address
    this.#here = here
  }

  get size(): number {
    return this.targets.length
  }

  /** Its number; `undefined` for what is neither. Throws `denied` for what the program no longer has. */
  readonly refer = (thing: object): number | undefined => {
    if (thing instanceof Ref) return this.#numberOf(thing.target, target => target)
    if (thing instanceof Receiver) {
      return this.#numberOf(thing.keep(), items => {
        return originOf(items) ?? this.#stream({ [Symbol.asyncIterator]: () => items.rest() })
      })
    }
    if (isAsyncIterable(thing)) return this.#numberOf(thing, items => this.#stream(items))
    return undefined
  }

  /** They are on their way, to another process unless they stay here. */
  sent(elsewhere = true): void {
    for (const target of this.targets) if (elsewhere || target.service.isWork) target.sent = true
    for (const thing of this.#numbers.keys()) {
      if (!(thing instanceof Receiver)) continue
      if (originOf(thing)) thing.close()
      thing.give()
    }
  }

  /** For the next frame. */
  clear(): void {
    if (this.targets.length === 0) return
    this.targets.length = 0
    this.#numbers.clear()
  }

  #stream(iterable: AsyncIterable<unknown>): Target {
    return streamTarget(iterable, this.#address(), this.#here)
  }

  /** `target` is made once: a value may be asked about twice. */
  #numberOf<Thing extends object>(thing: Thing, target: (thing: Thing) => Target): number {
    const known = this.#numbers.get(thing)
    if (known !== undefined) return known
    const number = this.targets.push(target(thing)) - 1
    this.#numbers.set(thing, number)
    return number
  }
}
