import type { Callable } from '../callable.ts'
import type { Handler } from '../handler.ts'
import { Service } from '../service.ts'

/** Answers with what somebody else answers: what is left of the time, the cancel and `meta` go along. */
export function relayTo(callable: Pick<Callable, 'call'>, concurrency = Infinity): Service {
  const handler: Handler = (body, request) => callable.call(body, request)
  return new Service(handler, concurrency, { relays: true })
}
