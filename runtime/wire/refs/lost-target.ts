import { WatError } from '../../error.ts'
import { here } from './local-call.ts'
import { LocalTarget } from './local-target.ts'
import { Service } from '../service.ts'
import type { Target } from './target.ts'

/** The answer to whoever uses a number that was never given, or has been given back. */
export function lost(address: string, was: boolean): WatError {
  const message = was ? 'this reference has been released or revoked' : 'this reference was never given'
  return new WatError('denied', message, { address })
}

/** What came home under a number that means nothing here any more, or never did. */
export function lostTarget(address: string, was: boolean): Target {
  const reason = lost(address, was)
  const service = new Service(() => Promise.reject(reason), Infinity)
  const target = new LocalTarget({ here, service, about: {}, address, name: undefined })
  target.break(reason)
  return target
}
