import { WatError } from '../error.ts'
import { describe } from '../edn/describe.ts'
import { Callable } from './callable.ts'
import type { Handler } from './handler.ts'
import { DEFAULT_CONCURRENCY } from './limits.ts'
import { methodsOf } from './methods.ts'
import { relayTo } from './refs/relay.ts'
import { Service } from './service.ts'

interface ServiceOptions {
  readonly concurrency?: number | undefined
  readonly lazy?: boolean | undefined
}

/**
 * What answers: a handler, something that is called itself, or an object of methods. Throws `denied` for what is
 * none of them, and for a `concurrency` below 1.
 */
export function serviceOf(target: unknown, { concurrency, lazy }: ServiceOptions): Service {
  if (concurrency !== undefined && !(concurrency >= 1))
    throw new WatError('denied', `concurrency is at least 1, not ${describe(concurrency)}`)
  if (lazy !== undefined && typeof lazy !== 'boolean')
    throw new WatError('denied', `lazy is a boolean, not ${describe(lazy)}`)
  if (target instanceof Callable) return relayTo(target, concurrency)
  if (typeof target === 'function')
    return new Service(target as Handler, concurrency ?? DEFAULT_CONCURRENCY, { lazy })
  if (typeof target === 'object' && target !== null) {
    if (lazy) throw new WatError('denied', 'methods read what they are asked: with `lazy` a handler answers')
    return new Service(methodsOf(target), concurrency ?? DEFAULT_CONCURRENCY)
  }
  throw new WatError(
    'denied',
    `a handler, an object of methods or a Callable answers, not ${describe(target)}`,
  )
}
