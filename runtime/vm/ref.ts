import { WatError } from '../error.ts'
import { describe } from '../edn/describe.ts'
import type { Arrived } from '../wire/arrived.ts'
import { Callable } from '../wire/callable.ts'
import type { Handler } from '../wire/handler.ts'
import { here } from '../wire/refs/local-call.ts'
import { LocalTarget } from '../wire/refs/local-target.ts'
import type { Ref } from '../wire/refs/ref.ts'
import { serviceOf } from '../wire/service-of.ts'
import type { Unread } from '../wire/unread.ts'
import { identity } from './identity.ts'
import { reportFault } from './log.ts'

/** How a reference answers. */
export interface RefOptions {
  /** How many calls of it are handled at once, whoever makes them. Default 256. */
  concurrency?: number | undefined
  /** The handler gets each body as an `Unread`, to be read when it likes or passed on as it is. */
  lazy?: boolean | undefined
  /** What messages call it. */
  name?: string | undefined
}

/**
 * A reference to something of this program: a handler, an object of methods, or something that is called itself,
 * as a `Process`. It can stand anywhere in a call, a reply or `given`; whoever gets it can call it and give it on,
 * and nobody else can. When all who got it have let it go, the target's `[Symbol.dispose]` or
 * `[Symbol.asyncDispose]` is called, and the reference works no more. Throws `denied` for what cannot answer.
 *
 * ```ts
 * const counter = ref({ add: (k: number) => (n += k) })
 * spawnProcess(new URL('./kid.ts', import.meta.url), { given: { counter } })
 * ```
 */
export function ref<Req = any, Res = unknown>(
  target: Handler<Unread<Req>, Res>,
  options: RefOptions & { lazy: true },
): Ref<Req, Arrived<Awaited<Res>>>
export function ref<Req = any, Res = unknown>(
  target: Handler<Req, Res> | Callable<Req, Res>,
  options?: RefOptions,
): Ref<Req, Arrived<Awaited<Res>>>
export function ref(target: object, options?: RefOptions): Ref
export function ref(target: unknown, { name, ...options }: RefOptions = {}): Ref {
  if (name !== undefined && typeof name !== 'string')
    throw new WatError('denied', `the name of a reference is a string, not ${describe(name)}`)
  const { address } = identity
  const service = serviceOf(target, options)
  return new LocalTarget({
    here,
    service,
    about: { address },
    address,
    name,
    dispose: isDisposable(target) ? () => void dispose(target) : undefined,
  }).ref
}

type MaybeDisposable = Partial<AsyncDisposable & Disposable>

/** A `Process` can be disposed of, too, but whoever may call it may not end it. */
function isDisposable(target: unknown): target is MaybeDisposable {
  const { [Symbol.asyncDispose]: later, [Symbol.dispose]: now } = target as MaybeDisposable
  return !(target instanceof Callable) && (later !== undefined || now !== undefined)
}

async function dispose(target: MaybeDisposable): Promise<void> {
  try {
    if (target[Symbol.asyncDispose]) await target[Symbol.asyncDispose]?.()
    else target[Symbol.dispose]?.()
  } catch (error) {
    reportFault(error)
  }
}
