/// <reference lib="esnext.disposable" preserve="true" />
import { ADVICE } from '../../edn/reference.ts'
import { rejection, siteHere } from '../../edn/stack.ts'
import { WatError } from '../../error.ts'
import type { CallOptions } from '../call-options.ts'
import { Callable } from '../callable.ts'
import type { Route } from '../passed.ts'
import type { Target } from './target.ts'
import type { Unread } from '../unread.ts'

/** What only its target may do with a reference. */
interface Holds {
  onDup?(): void
  /** `passed`: it has only been passed on. */
  onReleased(passed: boolean): void
  /** Ends it for everybody; `undefined` for one that was made elsewhere. */
  revoke?(): void
}

/**
 * The right to call something, wherever in the tree it lives. `ref` makes one; whoever gets it in a call, a reply
 * or `given` can call it and give it on. It works until its holder releases it, its maker revokes it, or the link
 * by which it came breaks.
 */
export class Ref<Req = any, Res = any> extends Callable<Req, Res> implements Disposable {
  readonly #target: Target
  readonly #holds: Holds
  /** How often it may be released. */
  #held = 0
  #released: WatError | undefined
  #closed: PromiseWithResolvers<WatError> | undefined

  /** @internal */
  constructor(target: Target, holds: Holds) {
    super()
    this.#target = target
    this.#holds = holds
  }

  /** The address of the process that made it. */
  get address(): string {
    return this.#target.address
  }

  /** Resolves, when it works no more, with the reason. Never rejects. Who has looked at it holds it until then. */
  get closed(): Promise<WatError> {
    if (!this.#closed) {
      const closed = (this.#closed = Promise.withResolvers<WatError>())
      if (this.#released) closed.resolve(this.#released)
      // Not `closed.resolve`: one that were collected would be let go, and nobody told of its end.
      else void this.#target.closed.then(reason => this.#closed?.resolve(reason))
    }
    return this.#closed.promise
  }

  /**
   * Calls it, as `Process.call` calls a process. Calls on one reference arrive in the order in which they were
   * made. Rejects besides with `denied` when it has been revoked or released, and with `offline` when the process
   * is gone that made it, or one on the way there.
   */
  override call(body: Req | Unread<Req>, options: CallOptions & { lazy: true }): Promise<Unread<Res>>
  override call(body: Req | Unread<Req>, options?: CallOptions): Promise<Res>
  override call(body: Req | Unread<Req>, options?: CallOptions): Promise<any> {
    const refusal = this.#released ?? this.#target.reason
    if (refusal) {
      const request = { body, meta: options?.meta }
      return rejection(refusal, { peer: this.address, site: siteHere(), request })
    }
    return this.#target.call(body, options)
  }

  /** Holds it once more, so that it takes one `release` more to let it go. Gives the reference itself. */
  dup(): this {
    if (this.#released) throw this.#released
    this.hold()
    this.#holds.onDup?.()
    return this
  }

  /**
   * Gives back one hold: each arrival of it in this process is one, and each `dup()`. After the last one calls are
   * `denied`, and when nobody holds it any more it is over for its maker, too. What is under way goes on. One that
   * the program loses without a word is given back when garbage is collected, and its maker can give it again.
   */
  release(): void {
    this.#giveBack(false)
  }

  /** `using` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release()
  }

  /**
   * For the process that made it: from now on every copy rejects with `denied`, however far it has travelled, calls
   * under way too. Throws `denied` elsewhere. Idempotent.
   */
  revoke(): void {
    if (!this.#holds.revoke) throw new WatError('denied', `only ${this.address} can revoke it, which made it`)
    this.#holds.revoke()
  }

  /** @internal */
  override get [ADVICE](): string {
    return 'a reference travels in calls, replies and `given`, to a side that knows references'
  }

  /** @internal */
  override route(): Route | undefined {
    return this.#released || this.#target.reason ? undefined : this.#target.route()
  }

  /** @internal */
  get target(): Target {
    if (this.#released) throw this.#released
    return this.#target
  }

  /** @internal Whether it may be released. */
  get held(): boolean {
    return this.#held > 0
  }

  /** @internal */
  hold(): void {
    this.#held++
  }

  /** @internal The body that it came in has been passed on. */
  pass(): void {
    this.#giveBack(true)
  }

  #giveBack(passed: boolean): void {
    if (this.#held === 0) return
    this.#held--
    this.#holds.onReleased(passed)
  }

  /** @internal Its last hold has been given back. */
  close(): void {
    this.#released = new WatError('denied', 'this reference has been released', { address: this.address })
    this.#closed?.resolve(this.#released)
  }
}
