import type { GlobalSignal } from '../../ambient.ts'
import type { WatError } from '../../error.ts'
import { governStream } from './stream-source.ts'
import type { Target } from './target.ts'
import { malformed } from '../malformed.ts'

/** The references that a frame has brought. */
export class Arrival {
  readonly #targets: readonly Target[]
  readonly #arrived: (object | undefined)[] = []
  readonly #onUnused: (target: Target) => void

  /** `onUnused`: the head names it, and the body does not have it. */
  constructor(targets: readonly Target[], onUnused: (target: Target) => void) {
    this.#targets = targets
    this.#onUnused = onUnused
  }

  /** What stands for a number in the body. Throws `malformed` for a number that the head does not name. */
  at(number: unknown): object {
    const target = this.#targets[number as number]
    if (typeof number !== 'number' || !target) throw malformed('#wat/ref names no reference of its frame')
    return (this.#arrived[number] ??= target.arrive())
  }

  /** All that it names, for a body that is not read now. */
  all(): object[] {
    return this.#targets.map((_, number) => this.at(number))
  }

  /** The body has been read. */
  settle(): void {
    this.#targets.forEach((target, number) => {
      if (!this.#arrived[number]) this.#onUnused(target)
    })
  }

  /** Its streams end with the signal, for the reason that this makes of the signal's. */
  govern(signal: GlobalSignal, reason: (cause: unknown) => WatError): void {
    for (const arrived of this.#arrived) governStream(arrived, signal, () => reason(signal.reason))
  }

  /** Its body has been passed on. */
  passOn(): void {
    this.#targets.forEach((target, number) => {
      const arrived = this.#arrived[number]
      if (arrived) target.passOn(arrived)
    })
  }

  /** The frame is dropped: nobody will have them. */
  turnAway(): void {
    this.#targets.forEach((target, number) => {
      const arrived = this.#arrived[number]
      if (arrived) target.turnAway(arrived)
      else this.#onUnused(target)
    })
  }
}
