import { ADVICE, Reference, USE_REF } from '../edn/reference.ts'
import type { CallOptions } from './call-options.ts'
import type { Route } from './passed.ts'
import type { Unread } from './unread.ts'

/** All that passing a request on takes. */
export interface Callee {
  call(body: unknown, options?: CallOptions): Promise<unknown>
  /** Where its calls go, if that is one link, and open. */
  route?(): Route | undefined
}

/**
 * Something that answers calls: a `Process`, a `Ref`. It is known by this class: a function is a handler, one of
 * these is called, and any other object is methods. Wherever a handler can stand, one of these can.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- whoever spawns infers by them
export abstract class Callable<Req = any, Res = any> extends Reference {
  /** @internal */
  get [ADVICE](): string {
    return USE_REF
  }

  /** @internal */
  route(): Route | undefined {
    return undefined
  }

  /** Asks it, and resolves with the body of its reply. */
  abstract call(body: Req | Unread<Req>, options: CallOptions & { lazy: true }): Promise<Unread<Res>>
  abstract call(body: Req | Unread<Req>, options?: CallOptions): Promise<Res>
}
