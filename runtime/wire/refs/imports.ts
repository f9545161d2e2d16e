import type { WatError } from '../../error.ts'
import type { Calls } from '../calls.ts'
import { MAX_REFS } from '../limits.ts'
import { malformed } from '../malformed.ts'
import { RemoteTarget } from './remote-target.ts'
import type { About } from './target.ts'
import { wantCollection } from './collection.ts'

/** A frame takes no more than this of them, so that it is as small as frames of control are. */
const MOST_IN_A_FRAME = 128

interface ImportsOptions {
  calls: Calls
  maxFrame: () => number
  /** The address of the other side, for what does not say where it was made. */
  address: () => string
  /** Tells of numbers that are given back, each with how often it has come. */
  giveBack(pairs: number[], unused: boolean): void
}

/** What the other side of a link has given this one. */
export class Imports {
  readonly #byId = new Map<number, RemoteTarget>()
  /** Given back, and not told yet. */
  #released: number[] = []
  #unused: number[] = []
  #reason: WatError | undefined
  readonly #options: ImportsOptions

  constructor(options: ImportsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  /** One has come. Throws `malformed` when there are more than the other side may give. */
  arrive(id: number, about: About): RemoteTarget {
    let target = this.#byId.get(id)
    if (!target) {
      const address = typeof about.address === 'string' ? about.address : this.#options.address()
      target = new RemoteTarget(id, about, address, {
        calls: this.#options.calls,
        maxFrame: this.#options.maxFrame,
        release: (one, unused) => this.#release(one, unused),
      })
      if (this.#reason) target.break(this.#reason)
      else this.#add(target)
    }
    target.received++
    return target
  }

  /** The other side says that it works no more. */
  break(id: number, reason: WatError): void {
    const target = this.#byId.get(id)
    this.#byId.delete(id)
    target?.break(reason)
  }

  /** It is not held by anybody, and need not be kept. */
  drop(target: RemoteTarget): void {
    if (!target.held && !target.reason) this.#release(target, false)
  }

  /** The link is gone. */
  abort(reason: WatError): void {
    this.#reason = reason
    const targets = [...this.#byId.values()]
    this.#byId.clear()
    for (const target of targets) target.break(reason)
  }

  #add(target: RemoteTarget): void {
    if (this.#byId.size >= MAX_REFS) throw malformed(`more than ${MAX_REFS} references`)
    this.#byId.set(target.id, target)
    wantCollection(this.#byId.size)
  }

  #release(target: RemoteTarget, unused: boolean): void {
    if (this.#byId.get(target.id) !== target) return
    this.#byId.delete(target.id)
    // A collection lets go of many at once.
    if (this.#released.length === 0 && this.#unused.length === 0) queueMicrotask(() => this.#tell())
    const pairs = unused ? this.#unused : this.#released
    pairs.push(target.id, target.received)
  }

  #tell(): void {
    const [released, unused] = [this.#released, this.#unused]
    this.#released = []
    this.#unused = []
    for (const pairs of inFrames(released)) this.#options.giveBack(pairs, false)
    for (const pairs of inFrames(unused)) this.#options.giveBack(pairs, true)
  }
}

function* inFrames(pairs: number[]): Generator<number[]> {
  for (let at = 0; at < pairs.length; at += 2 * MOST_IN_A_FRAME)
    yield pairs.slice(at, at + 2 * MOST_IN_A_FRAME)
}
