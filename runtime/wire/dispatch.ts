import { WatError } from '../error.ts'
import type { Answers } from './answers.ts'
import type { Calls } from './calls.ts'
import type { Credit } from './credit.ts'
import { tags, type Frame } from './frames.ts'
import type { Control } from './peer-options.ts'
import type { Arrival } from './refs/arrival.ts'
import type { Refs } from './refs/refs.ts'
import type { Sender } from './sender.ts'

/** What frames are about. */
interface Parts {
  readonly answers: Answers
  readonly calls: Calls
  readonly credit: Credit
  readonly outgoing: Sender<unknown>
  readonly refs: Refs
  readonly control: Control
}

/** Gives a frame to whom it is about. Throws `malformed` for one that means nothing here. */
export function dispatch(
  frame: Exclude<Frame, { kind: 'value' | 'end' | 'lines' }>,
  bytes: number,
  { answers, calls, credit, outgoing, refs, control }: Parts,
): void {
  switch (frame.kind) {
    case 'request':
      return answers.request(frame.id, frame.body, bytes)
    case 'reply':
      if (!calls.reply(frame.id, frame.body)) unknownId(frame.id)
      return
    case 'call':
      return request(frame, bytes, answers, refs)
    case 'return': {
      const arrival = arrived(refs, frame, error => calls.fail(frame.id, error))
      if (!calls.has(frame.id)) arrival?.turnAway()
      if (!calls.reply(frame.id, frame.body, arrival)) unknownId(frame.id)
      return
    }
    case 'given': {
      const arrival = refs.arrived(frame.map, frame.body)
      try {
        return (control.given ?? meaningless('given'))(frame.body)
      } catch (error) {
        arrival?.turnAway()
        throw error
      }
    }
    case 'release':
      return refs.release(frame.pairs, false)
    case 'unused':
      return refs.release(frame.pairs, true)
    case 'gone':
      return refs.gone(frame.id, frame.fault)
    case 'cancel':
      return answers.cancel(frame.id)
    case 'error':
      if (!calls.error(frame.id, frame.fault)) unknownId(frame.id)
      return
    case 'begun':
      for (const id of frame.ids) if (!calls.begun(id)) unknownId(id)
      return
    case 'taken':
      credit.taken(frame.count)
      outgoing.release()
      return answers.resume()
    case 'hello':
      return (control.hello ?? meaningless('hello'))(frame.info)
    case 'ready':
      return (control.ready ?? meaningless('ready'))(frame.info)
    case 'exit':
      return (control.exit ?? meaningless('exit'))(frame.info)
    case 'run':
      return (control.run ?? meaningless('run'))(frame.info)
    case 'stop':
      return (control.stop ?? meaningless('stop'))(frame.graceMs)
  }
}

/** A request with a head: for what serves here, or for a reference. */
function request(frame: Frame & { kind: 'call' }, bytes: number, answers: Answers, refs: Refs): void {
  const { id, head, body } = frame
  const arrival = arrived(refs, frame, error => answers.reject({ id, body, bytes, head, turn: 0 }, error))
  if (arrival) head.arrival = arrival
  if (head.to === undefined) return answers.request(id, body, bytes, head)
  const target = refs.target(head.to)
  if (target instanceof WatError) answers.reject({ id, body, bytes, head, turn: 0 }, target)
  else answers.requestTo(target.service, id, body, bytes, head)
}

/** What it has brought; whoever waits for it is told, too, when that is too much. */
function arrived(
  refs: Refs,
  { map, body }: { map: unknown; body: unknown },
  tell: (error: WatError) => void,
): Arrival | undefined {
  try {
    return refs.arrived(map, body)
  } catch (error) {
    tell(error as WatError)
    throw error
  }
}

export function meaningless(kind: keyof typeof tags): never {
  throw new WatError('malformed', `a #${tags[kind]} frame has no meaning here`)
}

function unknownId(id: number): never {
  throw new WatError('malformed', `a reply to request ${id}, which was never made`, { data: { id } })
}
