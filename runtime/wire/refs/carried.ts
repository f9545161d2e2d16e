import { Ref } from './ref.ts'
import type { Target } from './target.ts'

/** The references that a body holds, each with its number in the frame. */
export class Carried {
  readonly targets: Target[] = []
  readonly #numbers = new Map<Target, number>()

  get size(): number {
    return this.targets.length
  }

  /** Its number; `undefined` for what is no reference. Throws `denied` for one that has been released. */
  readonly refer = (thing: object): number | undefined => {
    if (!(thing instanceof Ref)) return undefined
    const { target } = thing
    let number = this.#numbers.get(target)
    if (number === undefined) {
      number = this.targets.push(target) - 1
      this.#numbers.set(target, number)
    }
    return number
  }

  /** For the next frame. */
  clear(): void {
    if (this.targets.length === 0) return
    this.targets.length = 0
    this.#numbers.clear()
  }
}
