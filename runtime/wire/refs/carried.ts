import { isAsyncIterable } from '../iterable.ts'
import type { Raws } from '../raw.ts'
import { Receiver } from '../receiver.ts'
import { Ref } from './ref.ts'
import { originOf } from './stream-source.ts'
import { streamTarget } from './stream-target.ts'
import type { Here, Target } from './target.ts'

/** The references and streams that a body holds, each with its number in the frame. */
export class Carried {
  readonly targets: Target[] = []
  readonly #numbers = new Map<object, number>()
  readonly raws: Raws | undefined
  /** Whether the frame may have them ahead of it. */
  raw = true
  readonly #address: () => string
  readonly #here: Here

  /** `address`: this process's. `raws`: where bytes go that are not written as text. */
  constructor(address: () => string, here: Here, raws?: Raws) {
    this.#address = address
    this.#here = here
    this.raws = raws
  }

  get size(): number {
    return this.targets.length
  }

  /** What stands for it; `undefined` for what is neither. Throws `denied` for what the program no longer has. */
  readonly refer = (thing: object): string | undefined => {
    if (thing instanceof Uint8Array) return this.raw ? this.raws?.refer(thing) : undefined
    const number = this.#number(thing)
    return number === undefined ? undefined : `#wat/ref ${number}`
  }

  /** These stand for the first numbers, each in its place. */
  place(things: readonly object[]): void {
    for (const thing of things) {
      const target = this.#targetOf(thing)
      if (target) this.#numbers.set(thing, this.targets.push(target) - 1)
    }
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
    this.raws?.clear()
    if (this.targets.length === 0) return
    this.targets.length = 0
    this.#numbers.clear()
  }

  /** It is made once: a value may be asked about twice. */
  #number(thing: object): number | undefined {
    const known = this.#numbers.get(thing)
    if (known !== undefined) return known
    const target = this.#targetOf(thing)
    if (!target) return undefined
    const number = this.targets.push(target) - 1
    this.#numbers.set(thing, number)
    return number
  }

  #targetOf(thing: object): Target | undefined {
    if (thing instanceof Ref) return thing.target
    if (thing instanceof Receiver) {
      const items = thing.keep()
      return originOf(items) ?? this.#stream({ [Symbol.asyncIterator]: () => items.rest() })
    }
    return isAsyncIterable(thing) ? this.#stream(thing) : undefined
  }

  #stream(iterable: AsyncIterable<unknown>): Target {
    return streamTarget(iterable, this.#address(), this.#here)
  }
}
