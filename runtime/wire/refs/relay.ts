import type { Callee } from '../callable.ts'
import type { Handler } from '../handler.ts'
import { Service } from '../service.ts'

/** Answers with what somebody else answers: what is left of the time, the cancel and `meta` go along. */
export function relayTo(callee: Callee, concurrency = Infinity): Service {
  const handler: Handler = (_, request) => request.forward(callee)
  return new Service(handler, concurrency, { relays: callee })
}
