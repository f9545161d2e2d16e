import { fromFault, toFault } from '../../edn/fault.ts'
import type { WatError } from '../../error.ts'
import { Arrival } from './arrival.ts'
import type { Answers } from '../answers.ts'
import type { Calls } from '../calls.ts'
import { isPlainMap } from '../checks.ts'
import { Exports } from './exports.ts'
import { goneFrame, releaseFrame, tags, unusedFrame } from '../frames.ts'
import { readHead, type Mention } from '../head.ts'
import { Imports } from './imports.ts'
import { lost, lostTarget } from './lost-target.ts'
import { malformed } from '../malformed.ts'
import type { Outbox } from '../outbox.ts'
import { RemoteTarget } from './remote-target.ts'
import type { Target } from './target.ts'
import { Unread } from '../unread.ts'
import { FrameWriter } from './writer.ts'

interface RefsOptions {
  readonly outbox: Outbox
  readonly calls: () => Calls
  readonly answers: () => Answers
  /** The other side, and this one. */
  readonly other: { address: string }
  readonly address: () => string
  readonly maxFrame: () => number
  /** Whether the other side is known to know references, and heads, before it has said so. */
  readonly known: boolean
  /** What is given away no longer is work in flight. */
  readonly onWork: () => void
}

/** Frames whose bodies may hold references. */
const HEADED = new Set<unknown>([tags.call, tags.return, tags.given])

/**
 * References on one link, as tables of two sides: each gives the other numbers for what it has, and every hop of a
 * longer way is a link of its own. A body says `#wat/ref n` where one stands, and the head of its frame which one
 * that is, so that a process which passes the body on rewrites the head alone.
 */
export class Refs {
  /** Writes the frames in which they travel. */
  readonly writer: FrameWriter
  readonly #exports: Exports
  readonly #imports: Imports
  /** The other side knows references, and heads: it has said so, or has sent some. */
  #known: boolean
  /** Of the frame that is being read. */
  #arrival: Arrival | undefined
  #arrivalMap: unknown
  readonly #lost = new Map<boolean, Target>()
  readonly #options: RefsOptions

  constructor(options: RefsOptions) {
    const { outbox, answers, address, maxFrame, calls, other } = options
    this.#options = options
    this.#known = options.known
    this.writer = new FrameWriter({
      address,
      maxFrame,
      known: () => this.#known,
      mention: target => this.#mention(target),
      takeBack: mention => this.#exports.takeBack(mention),
    })
    this.#exports = new Exports((id, target, reason) => {
      outbox.push(goneFrame(id, toFault(reason, address()), maxFrame()))
      answers().withdraw(target.service, reason)
    }, options.onWork)
    this.#imports = new Imports({
      get calls() {
        return calls()
      },
      address: () => other.address,
      maxFrame,
      giveBack: (pairs, unused) => outbox.push(unused ? unusedFrame(pairs) : releaseFrame(pairs)),
    })
  }

  /** Whether the other side has something that is work in flight here. */
  get working(): boolean {
    return this.#exports.working > 0
  }

  /** Whether the other side has something that takes bodies which are not read. */
  get lazy(): boolean {
    return this.#exports.lazy > 0
  }

  /** The other side has said that it knows references, and heads. */
  know(): void {
    this.#known = true
  }

  /** @internal How many there are each way. */
  get load(): Record<string, number> {
    return { exports: this.#exports.size, imports: this.#imports.size }
  }

  /** What `#wat/ref` and a number stands for in the frame that is being read. */
  readonly dereference = (number: unknown, tag: unknown, map: unknown): object => {
    if (!HEADED.has(tag)) throw malformed('a reference in a frame that carries none')
    if (!this.#arrival || this.#arrivalMap !== map) this.#begin(map)
    return (this.#arrival as Arrival).at(number)
  }

  /** The frame with this head has been read whole: gives what it brought. */
  arrived(map: unknown, body: unknown): Arrival | undefined {
    if (this.#arrivalMap !== map) {
      this.drop()
      if (!isPlainMap(map) || map.refs === undefined) return undefined
      this.#begin(map)
    }
    const arrival = this.#arrival as Arrival
    this.#arrival = this.#arrivalMap = undefined
    if (body instanceof Unread) body.things = arrival.all()
    else arrival.settle()
    return arrival
  }

  /** What is being read is no frame: what it brought goes back. */
  drop(): void {
    this.#arrival?.turnAway()
    this.#arrival = this.#arrivalMap = undefined
  }

  /** What a call is for, by the number in its head. A number that means nothing is `denied`. */
  target(id: number): Target | WatError {
    return this.#exports.get(id) ?? lost(this.#options.address(), this.#exports.was(id))
  }

  /** The other side no longer has these. `unused`: it has not let them go, but lost them. */
  release(pairs: readonly number[], unused: boolean): void {
    for (let at = 0; at < pairs.length; at += 2)
      this.#exports.giveBack(pairs[at] as number, pairs[at + 1] as number, unused)
  }

  /** The other side says that one of its own works no more. */
  gone(id: number, fault: unknown): void {
    this.#imports.break(id, fromFault(fault, this.#options.other.address))
  }

  /** The other side is gone. */
  abort(reason: WatError): void {
    this.drop()
    this.#imports.abort(reason)
    this.#exports.clear()
  }

  #mention(target: Target): Mention {
    const home = target instanceof RemoteTarget && target.origin.calls === this.#options.calls()
    return home && !target.reason ? -target.id : this.#exports.give(target)
  }

  #begin(map: unknown): void {
    this.#known = true
    this.drop()
    const { refs = [] } = readHead(map)
    const targets: Target[] = []
    this.#arrivalMap = map
    this.#arrival = new Arrival(targets, target => {
      if (target instanceof RemoteTarget) this.#imports.drop(target)
    })
    for (const mention of refs) targets.push(this.#arrive(mention))
  }

  #arrive(mention: Mention): Target {
    const [id, about] = typeof mention === 'number' ? [mention, {}] : mention
    if (id > 0) return this.#imports.arrive(id, about)
    return this.#exports.get(-id) ?? this.#lostTarget(this.#exports.was(-id))
  }

  /** All that means nothing is the same, or a frame of such numbers would take hundreds of times its size. */
  #lostTarget(was: boolean): Target {
    let target = this.#lost.get(was)
    if (!target) this.#lost.set(was, (target = lostTarget(this.#options.address(), was)))
    return target
  }
}
