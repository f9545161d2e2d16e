import { WatError } from '../../error.ts'
import { MAX_REFS } from '../limits.ts'
import type { Mention } from '../head.ts'
import type { Target } from './target.ts'

interface Export {
  readonly id: number
  readonly target: Target
  /** How often it has been given, less what has been given back. */
  given: number
  readonly unwatch: () => void
}

/**
 * What this side of a link has given the other, each under a number that is never used again. It is counted how
 * often: whoever gives one back says how many of those he has seen, so that one which is on its way stays.
 */
export class Exports {
  #last = 0
  readonly #byId = new Map<number, Export>()
  readonly #byTarget = new Map<Target, Export>()
  readonly #onBroken: (id: number, target: Target, reason: WatError) => void
  readonly #onWork: () => void
  /** Those that are work in flight. */
  working = 0
  /** Those that take bodies which are not read. */
  lazy = 0

  /** `onBroken`: one that the other side has works no more. `onWork`: one that was work in flight is gone. */
  constructor(onBroken: (id: number, target: Target, reason: WatError) => void, onWork: () => void) {
    this.#onBroken = onBroken
    this.#onWork = onWork
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: number): Target | undefined {
    return this.#byId.get(id)?.target
  }

  /** Whether it was ever given. */
  was(id: number): boolean {
    return id <= this.#last
  }

  /** Gives it, and says how it is mentioned. Throws `overloaded` when there are too many. */
  give(target: Target): Mention {
    const known = this.#byTarget.get(target) ?? this.#add(target)
    known.given++
    return [known.id, target.about]
  }

  /** What was not sent after all. */
  takeBack(mention: Mention): void {
    if (typeof mention !== 'number') this.giveBack(mention[0], 1, true)
  }

  /** The other side has seen it so often, and has it no more. More than it was given is as often as it was. */
  giveBack(id: number, count: number, unused: boolean): void {
    const known = this.#byId.get(id)
    if (!known) return
    known.given -= count
    if (known.given > 0) return
    this.#delete(known)
    if (unused) known.target.lose()
    else known.target.release()
  }

  /** The link is gone. */
  clear(): void {
    for (const known of this.#byId.values()) {
      this.#delete(known)
      known.target.release()
    }
  }

  #add(target: Target): Export {
    if (this.#byId.size >= MAX_REFS) {
      throw new WatError('overloaded', `the other side holds ${MAX_REFS} references already`, {
        data: { limit: MAX_REFS },
      })
    }
    const id = ++this.#last
    const known: Export = {
      id,
      target,
      given: 0,
      unwatch: target.watch(reason => this.#break(known, reason)),
    }
    this.#byId.set(id, known)
    this.#byTarget.set(target, known)
    target.hold()
    if (target.service.isWork) this.working++
    if (target.service.lazy) this.lazy++
    // One that is broken already is given all the same, and its receiver told at once.
    const { reason } = target
    if (reason) queueMicrotask(() => this.#byId.get(id) === known && this.#break(known, reason))
    return known
  }

  #break(known: Export, reason: WatError): void {
    this.#delete(known)
    this.#onBroken(known.id, known.target, reason)
    known.target.letGo()
  }

  #delete(known: Export): void {
    known.unwatch()
    this.#byId.delete(known.id)
    this.#byTarget.delete(known.target)
    if (known.target.service.lazy) this.lazy--
    if (!known.target.service.isWork) return
    this.working--
    this.#onWork()
  }
}
