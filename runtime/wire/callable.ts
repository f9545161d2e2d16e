import { ADVICE, Reference, USE_REF } from '../edn/reference.ts'
import type { CallOptions } from './call-options.ts'

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

  /** Asks it, and resolves with the body of its reply. */
  abstract call(body: Req, options?: CallOptions): Promise<Res>
}
