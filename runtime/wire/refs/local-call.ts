import { fromFault, toFault } from '../../edn/fault.ts'
import type { WatError } from '../../error.ts'
import type { AnswersOptions } from '../answers-options.ts'
import type { CallOptions } from '../call-options.ts'
import { overfull } from '../call-terms.ts'
import type { Asked } from '../asked.ts'
import { Calls } from '../calls.ts'
import { copied } from './copy.ts'
import { Handling } from '../handling.ts'
import type { Head } from '../head.ts'
import { CALL_WINDOW_BYTES, MAX_WAITING_CALLS } from '../limits.ts'
import { RefAnswers } from '../ref-answers.ts'
import type { Service } from '../service.ts'
import type { Target } from './target.ts'

/** What is called, and with what. */
interface Local {
  readonly target: Target
  readonly body: unknown
}

/** Calls a reference in the process that made it: as from anywhere else, but for the pipe. */
export function callHere(target: Target, body: unknown, options?: CallOptions): Promise<unknown> {
  return calls.call({ target, body } satisfies Local, options)
}

/** It works no more: calls under way are over. */
export function withdrawHere(service: Service, reason: WatError): void {
  lanes.withdraw(service, reason)
  handling.withdraw(service, reason)
}

/** This process's: all that is called here was made here. */
let address = ''

const HERE = { name: 'a reference of this process', address: 'this process' }

/** So large that its begin is told at once: whoever passes a call on counts by what the call took on its own link. */
const BYTES = CALL_WINDOW_BYTES

const calls = new Calls({
  outbox: {
    busy: false,
    lineBytes: 1,
    overflow: () => (lanes.size < MAX_WAITING_CALLS ? undefined : overfull(HERE)),
    add: (_write, id, asked) => deliver(id, asked as Asked),
  },
  write: () => {},
  cancel: id => void (handling.cancel(id) || lanes.cancel(id)),
  maxInFlight: Infinity, // there is no link that those for one target could take the places of from those for others
  maxFrame: () => Infinity,
  peer: () => HERE,
  onBusy: () => {},
})

const options: AnswersOptions = {
  maxFrame: Infinity,
  reply(id, body) {
    const { value, arrival } = copied(body)
    calls.reply(id, value, arrival)
  },
  fail: (id, error) => void calls.fail(id, fromFault(toFault(error, address), address), true),
  refuse: (id, error) => void calls.fail(id, error as WatError),
  plainLine: () => new Uint8Array(0),
  push: () => {},
  room: () => true,
  plainRoom: () => true,
  onPlainFailed: () => {},
  onFailedLate: () => {},
  onBegun: ids => ids.forEach(id => calls.begun(id)),
  onTaken: () => {},
  onRoom: () => {},
}

const handling = new Handling(options, () => {})
const lanes = new RefAnswers(handling, options, () => {})

/** The body is what it is now; the handler is called when the caller has gone on, as anywhere. */
function deliver(id: number, { body, due, meta }: Asked): void {
  const { target, body: asked } = body as Local
  address = target.address
  const { value, arrival } = copied(asked)
  const head: Head = {
    ...(due !== undefined && { timeoutMs: due - Date.now() }),
    ...(meta && { meta }),
    ...(arrival && { arrival }),
  }
  queueMicrotask(() => {
    if (calls.has(id) && !target.reason)
      return lanes.request(target.service, { id, body: value, bytes: BYTES, head, turn: 0 })
    arrival?.turnAway()
    if (target.reason) calls.fail(id, target.reason)
  })
}
