import type { WatError } from '../../error.ts'
import type { CallOptions } from '../call-options.ts'
import type { Route } from '../passed.ts'
import type { Calls } from '../calls.ts'
import { Receiver } from '../receiver.ts'
import { Ref } from './ref.ts'
import { relayTo } from './relay.ts'
import type { Service } from '../service.ts'
import { pulled, STREAM } from './stream-source.ts'
import { Target, type About } from './target.ts'

/** The link that one came by. */
interface Origin {
  readonly calls: Calls
  readonly maxFrame: () => number
  /** Nobody here holds it any more. */
  release(target: RemoteTarget, unused: boolean): void
}

/** What another process has given. */
export class RemoteTarget extends Target {
  readonly id: number
  readonly about: About
  readonly address: string
  readonly origin: Origin
  readonly service: Service
  readonly #route: Route = { pass: request => this.origin.calls.pass(request, this.id, this) }
  /** How often it has come since it was released last. */
  received = 0
  /** The program's own, as long as it keeps it. */
  #ref: WeakRef<Ref> | undefined

  constructor(id: number, about: About, address: string, origin: Origin) {
    super()
    this.id = id
    this.about = about
    this.address = address
    this.origin = origin
    this.service = relayTo(this)
  }

  override route(): Route {
    return this.#route
  }

  /** Who has let it go has not given up what is under way, or waits to be sent. */
  call(body: unknown, options?: CallOptions): Promise<unknown> {
    return this.origin.calls.call(body, options, this.id, this)
  }

  /** Where frames are small, items that are larger than they were taken for must fit. */
  override get batchBytes(): number {
    return Math.min(super.batchBytes, Math.ceil(this.origin.maxFrame() / 4))
  }

  arrive(): Ref | Receiver {
    return this.about.kind === STREAM ? pulled(this) : this.#arriveAsRef()
  }

  turnAway(arrived: object): void {
    if (arrived instanceof Receiver) arrived.close()
    else if (arrived instanceof Ref) arrived.release()
  }

  override passOn(arrived: object): void {
    if (arrived instanceof Ref) arrived.pass()
    else this.turnAway(arrived)
  }

  #arriveAsRef(): Ref {
    let ref = this.#ref?.deref()
    if (!ref) {
      ref = new Ref(this, { onReleased: passed => this.#onReleased(passed) })
      this.#ref = new WeakRef(ref)
      this.hold()
      collected.register(ref, this, ref)
    }
    ref.hold()
    return ref
  }

  override break(reason: WatError): void {
    super.break(reason)
    this.origin.calls.failTo(this.id, reason)
  }

  protected onUnheld(unused: boolean): void {
    if (!this.reason) this.origin.release(this, unused)
  }

  #onReleased(passed: boolean): void {
    const ref = this.#ref?.deref()
    if (!ref || ref.held) return
    ref.close()
    collected.unregister(ref)
    this.#ref = undefined
    if (passed) this.letGo()
    else this.release()
  }
}

/** A program need not release what it no longer has. */
const collected = new FinalizationRegistry<RemoteTarget>(target => target.lose())
