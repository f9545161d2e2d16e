import type { WatError } from '../../error.ts'
import type { CallOptions } from '../call-options.ts'
import { STREAM_BATCH_BYTES } from '../limits.ts'
import type { Route } from '../passed.ts'
import type { Service } from '../service.ts'

/** What a frame tells of a reference besides its number. */
export type About = Readonly<Record<string, unknown>>

/** Calls within the process that made what is called. */
export interface Here {
  call(target: Target, body: unknown, options?: CallOptions): Promise<unknown>
  /** What a service has begun, and what waits for it, is over. */
  withdraw(service: Service, reason: WatError): void
}

/** What a reference leads to: something that was made here, or what another process has given. */
export abstract class Target {
  /** Where it was made. */
  abstract readonly address: string
  /** What whoever gets it is told of it. */
  abstract readonly about: About
  /** Who answers what comes for it by a link. */
  abstract readonly service: Service
  /** It has been given to somebody. */
  sent = false
  /** Those for whom it must go on: links that it was given on, and programs that hold what has arrived. */
  #holders = 0
  /** The last of them that has gone has lost it, and not let it go. */
  #unused = false
  #reason: WatError | undefined
  #closed: PromiseWithResolvers<WatError> | undefined
  readonly #watchers = new Set<(reason: WatError) => void>()

  /** Where its calls go, if that is one link. */
  route(): Route | undefined {
    return undefined
  }

  abstract call(body: unknown, options?: CallOptions): Promise<unknown>

  /** What stands for it in a body that has come: each time it comes it is held once more. */
  abstract arrive(): object

  /** The body that it came in is dropped. */
  abstract turnAway(arrived: object): void

  /** The body that it came in has been passed on, and its receiver holds what is in it. */
  passOn(arrived: object): void {
    this.turnAway(arrived)
  }

  /**
   * Nobody holds it any more. `unused`: whoever had it last has not let it go, but lost it.
   */
  protected abstract onUnheld(unused: boolean): void

  /** How many bytes of a stream may come at once. */
  get batchBytes(): number {
    return STREAM_BATCH_BYTES
  }

  /** Why it works no more. */
  get reason(): WatError | undefined {
    return this.#reason
  }

  /** Resolves with that; never rejects. */
  get closed(): Promise<WatError> {
    this.#closed ??= Promise.withResolvers<WatError>()
    if (this.#reason) this.#closed.resolve(this.#reason)
    return this.#closed.promise
  }

  get held(): boolean {
    return this.#holders > 0
  }

  hold(): void {
    this.#holders++
  }

  /** Something of ours that held it meanwhile does so no more. */
  letGo(): void {
    if (--this.#holders === 0) this.onUnheld(this.#unused)
  }

  /** A holder has let it go, by saying so or by its end. */
  release(): void {
    this.#unused = false
    this.letGo()
  }

  /** A holder has lost it. */
  lose(): void {
    this.#unused = true
    this.letGo()
  }

  /** Calls back once, when it works no more. What it gives takes that back. */
  watch(onBreak: (reason: WatError) => void): () => void {
    this.#watchers.add(onBreak)
    return () => void this.#watchers.delete(onBreak)
  }

  /** From now on it works no more. Idempotent. */
  break(reason: WatError): void {
    if (this.#reason) return
    this.#reason = reason
    this.service.over = reason
    this.#closed?.resolve(reason)
    for (const tell of this.#watchers) tell(reason)
    this.#watchers.clear()
  }
}
