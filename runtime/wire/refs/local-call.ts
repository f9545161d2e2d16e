import { fromFault, toFault } from '../../edn/fault.ts'
import type { WatError } from '../../error.ts'
import type { AnswersOptions } from '../answers-options.ts'
import type { Ask } from '../call.ts'
import { Calls } from '../calls.ts'
import { copied } from './copy.ts'
import { Handling } from '../handling.ts'
import type { Head } from '../head.ts'
import { reportStray } from '../strays.ts'
import { RefAnswers } from '../ref-answers.ts'
import type { Here, Target } from './target.ts'

/** What is called, and with what. */
interface Local {
  readonly target: Target
  readonly body: unknown
}

/** Calls of references in the process that made them: as from anywhere else, but for the pipe. */
export const here: Here = {
  call: (target, body, options) => calls.call({ target, body } satisfies Local, options),
  withdraw(service, reason) {
    lanes.withdraw(service, reason)
    handling.withdraw(service, reason)
  },
}

/** This process's: all that is called here was made here. */
let address = ''

const calls = new Calls({
  outbox: {
    busy: false,
    lineBytes: 1,
    overflow: () => undefined,
    add: (_write, id, asked) => deliver(id, asked as Ask),
  },
  write: () => {},
  bodyOf: body => (body as Local).body,
  cancel: id => void (handling.cancel(id) || lanes.cancel(id)),
  maxInFlight: undefined,
  maxFrame: () => Infinity,
  peer: () => ({ name: 'a reference of this process', address: 'this process' }),
  onBusy: () => {},
})

const options: AnswersOptions = {
  maxFrame: Infinity,
  reply: (id, body) => void calls.reply(id, copied(body, address, here)),
  fail: (id, error) => void calls.fail(id, fromFault(toFault(error, address), address), true),
  refuse: (id, error) => void calls.fail(id, error as WatError),
  plainLine: () => new Uint8Array(0),
  push: () => {},
  print: () => Promise.resolve(false),
  room: () => true,
  plainRoom: () => true,
  onPlainFailed: () => {},
  onBegun: ids => ids.forEach(id => calls.begun(id)),
  onTaken: () => {},
  onRoom: () => {},
  working: () => false,
  onFailedLate: reportStray,
}

const handling = new Handling(options, () => {})
const lanes = new RefAnswers(handling, options)
calls.limit()

/** The body is what it is now; the handler is called when the caller has gone on, as anywhere. */
function deliver(id: number, { body, due, meta }: Ask): void {
  const { target, body: asked } = body as Local
  address = target.address
  const copy = copied(asked, address, here)
  const head: Head = { ...(due !== undefined && { timeoutMs: due - Date.now() }), ...(meta && { meta }) }
  queueMicrotask(() => {
    if (target.reason) calls.fail(id, target.reason)
    else lanes.request(target.service, { id, body: copy, bytes: 1, head, turn: 0 })
  })
}
