import { WatError } from '../error.ts'
import { describe } from '../edn/describe.ts'
import { Callable } from './callable.ts'
import type { Handler } from './handler.ts'
import { DEFAULT_CONCURRENCY } from './limits.ts'
import { methodsOf } from './methods.ts'
import { relayTo } from './refs/relay.ts'
import { Service } from './service.ts'

/**
 * What answers: a handler, something that is called itself, or an object of methods. Throws `denied` for what is
 * none of them, and for a `concurrency` below 1.
 */
export function serviceOf(target: unknown, concurrency: number | undefined): Service {
  if (concurrency !== undefined && !(concurrency >= 1))
    throw new WatError('denied', `concurrency is at least 1, not ${describe(concurrency)}`)
  if (target instanceof Callable) return relayTo(target, concurrency)
  if (typeof target === 'function') return new Service(target as Handler, concurrency ?? DEFAULT_CONCURRENCY)
  if (typeof target === 'object' && target !== null)
    return new Service(methodsOf(target), concurrency ?? DEFAULT_CONCURRENCY)
  throw new WatError(
    'denied',
    `a handler, an object of methods or a Callable answers, not ${describe(target)}`,
  )
}
