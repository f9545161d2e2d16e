import type { WatError } from '../error.ts'
import type { Credit } from './credit.ts'
import { begunFrame, lineOf, writeReply, type LineWriter } from './frames.ts'
import type { Outbox } from './outbox.ts'
import type { PeerOptions } from './peer-options.ts'
import type { Sender } from './sender.ts'

/** What answers need of the link that they go back on. */
export interface AnswersOptions {
  readonly maxFrame: number
  /** Writes a reply; throws what its body is refused with. */
  reply(id: number, body: unknown): void
  fail(id: number, error: unknown): void
  /** Answers a request that is not handled, as soon as there is room, with `refusal` or an error of its own. */
  readonly refuse: (id: number, error?: WatError) => void
  /** The line that answers a plain value; throws what its body is refused with. */
  plainLine(body: unknown): Uint8Array
  /** Writes such a line. */
  readonly push: (line: Uint8Array) => void
  /** Whether replies, and answers to plain values, may be written: what causes more of them waits until then. */
  room(): boolean
  plainRoom(): boolean
  /** The handler of a plain value has failed: nobody else is told. */
  onPlainFailed(error: unknown): void
  /** The handlers of these requests have begun, and they are still open. */
  readonly onBegun: (ids: number[]) => void
  /** A plain value has been taken: its handler has begun, or it is dropped. */
  readonly onTaken: (bytes: number) => void
  /** There is room for another request. */
  readonly onRoom: () => void
}

/** What only the link knows. */
interface Link extends Pick<AnswersOptions, 'refuse' | 'onTaken' | 'onRoom'> {
  /** The frame that answers a request with an error. */
  readonly answerWith: (id: number, error: unknown) => string
  /** Whether the caller counts what has begun. */
  readonly tellsBegun: () => boolean
}

/** Answers that go over the sender and the outbox of a peer. */
export function answersOver(
  peer: { readonly outbox: Outbox; readonly outgoing: Sender<unknown>; readonly credit: Credit },
  { answerWith, tellsBegun, refuse, onTaken, onRoom }: Link,
  write: LineWriter,
  options: PeerOptions,
): AnswersOptions {
  const { outbox, credit } = peer
  return {
    get maxFrame() {
      return options.maxFrame
    },
    reply: (id, body) => outbox.add(writeReply, id, body, options.maxFrame),
    fail: (id, error) => outbox.push(answerWith(id, error)),
    plainLine: body => lineOf(write, body),
    push: line => void peer.outgoing.sendLine(line).catch(() => {}), // whoever owns the outbox is told
    room: () => !outbox.full,
    plainRoom: () => !outbox.full && credit.available,
    onPlainFailed: error => options.onPlainFailed?.(error),
    onBegun: ids => void (tellsBegun() && outbox.push(begunFrame(ids))),
    refuse,
    onTaken,
    onRoom,
  }
}
