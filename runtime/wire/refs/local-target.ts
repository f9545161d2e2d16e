import { WatError } from '../../error.ts'
import type { CallOptions } from '../call-options.ts'
import { Receiver } from '../receiver.ts'
import { Ref } from './ref.ts'
import type { Service } from '../service.ts'
import { Target, type About, type Here } from './target.ts'

interface Options {
  readonly here: Here
  service: Service
  about: About
  address: string
  /** For messages. */
  name: string | undefined
  /** Nobody will call it any more. Called once, if it was sent to somebody. */
  readonly dispose?: (() => void) | undefined
  /** What stands for it where it comes home, if not a reference. */
  readonly arrive?: (target: Target) => object
}

/** What was made here. */
export class LocalTarget extends Target {
  readonly ref: Ref
  readonly #options: Options
  /** When its maker has lost it, it is disposed of. */
  #watched = false

  constructor(options: Options) {
    super()
    this.#options = options
    this.ref = new Ref(this, {
      onDup: () => this.hold(),
      onReleased: () => this.release(),
      revoke: () => this.#end('has been revoked'),
    })
  }

  get service(): Service {
    return this.#options.service
  }

  get about(): About {
    return this.#options.about
  }

  get address(): string {
    return this.#options.address
  }

  call(body: unknown, options?: CallOptions): Promise<unknown> {
    return this.#options.here.call(this, body, options)
  }

  override break(reason: WatError): void {
    super.break(reason)
    this.#options.here.withdraw(this.service, reason)
  }

  /** It has come home. Who made it needs no hold on it. */
  arrive(): object {
    return this.#options.arrive?.(this) ?? this.ref
  }

  turnAway(arrived: object): void {
    if (arrived instanceof Receiver) arrived.close()
  }

  /** One that nobody has let go may be given again, as long as its maker has it. Of a stream nobody could read the rest. */
  protected onUnheld(unused: boolean): void {
    if (!this.sent) return
    if (!unused || this.service.isWork) return this.#end('has been released by all who had it')
    const { dispose } = this.#options
    if (!dispose || this.#watched) return
    this.#watched = true
    lost.register(this.ref, dispose, this.ref)
  }

  #end(why: string): void {
    if (this.reason) return
    const { name, address, dispose } = this.#options
    lost.unregister(this.ref)
    this.break(new WatError('denied', `${name ?? 'this reference'} ${why}`, { address }))
    dispose?.()
  }
}

/** Those that nobody holds, and whose makers may give them again. */
const lost = new FinalizationRegistry<() => void>(dispose => dispose())
