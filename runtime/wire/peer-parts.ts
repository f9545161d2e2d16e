import type { Answers } from './answers.ts'
import { Calls } from './calls.ts'
import type { Credit } from './credit.ts'
import type { AnswersOptions } from './answers-options.ts'
import { begunFrame, cancelFrame, lineOf, type LineWriter } from './frames.ts'
import { WatError } from '../error.ts'
import type { Lazy } from './lines.ts'
import type { Outbox } from './outbox.ts'
import type { PeerOptions } from './peer-options.ts'
import { Refs } from './refs/refs.ts'
import type { Sender } from './sender.ts'
import { reportStray } from './strays.ts'

/** What only the link knows. */
interface Link extends Pick<AnswersOptions, 'refuse' | 'onTaken' | 'onRoom'> {
  /** The frame that answers a request with an error. */
  readonly answerWith: (id: number, error: unknown) => string
  /** Whether the caller counts what has begun. */
  readonly tellsBegun: () => boolean
}

/** Answers that go over the sender and the outbox of a peer. */
export function answersOver(
  peer: {
    readonly refs: Refs
    readonly outbox: Outbox
    readonly outgoing: Sender<unknown>
    readonly credit: Credit
  },
  { answerWith, tellsBegun, refuse, onTaken, onRoom }: Link,
  write: LineWriter,
  options: PeerOptions,
): AnswersOptions {
  const { outbox, credit } = peer
  return {
    get maxFrame() {
      return options.maxFrame
    },
    reply: (id, body) => outbox.add(peer.refs.writer.reply, id, body, options.maxFrame),
    replyLine: (id, text) => outbox.add(peer.refs.writer.replyLine, id, text, options.maxFrame),
    fail: (id, error) => outbox.push(answerWith(id, error)),
    plainLine: body => lineOf(write, body),
    push: line => void peer.outgoing.sendLine(line).catch(() => {}), // whoever owns the outbox is told
    print: line =>
      peer.outgoing.sendLine(line).then(
        () => true,
        () => false, // whoever owns the outbox is told
      ),
    room: () => !outbox.full,
    plainRoom: () => !outbox.full && credit.available,
    onPlainFailed: error => options.onPlainFailed?.(error),
    onFailedLate: error => (options.onFailedLate ?? reportStray)(error),
    onBegun: ids => void (tellsBegun() && outbox.push(begunFrame(ids))),
    working: () => peer.refs.working,
    refuse,
    onTaken,
    onRoom,
  }
}

/** Calls that go over the outbox of a peer. */
export function callsOver(
  { outbox, refs }: { readonly outbox: Outbox; readonly refs: Refs },
  options: PeerOptions,
  onBusy: () => void,
): Calls {
  return new Calls({
    outbox,
    write: refs.writer.call,
    writeLine: () => refs.writer.callLine,
    cancel: id => outbox.push(cancelFrame(id)),
    maxInFlight: options.maxInFlight,
    maxFrame: () => options.maxFrame,
    peer: () => options.other,
    onBusy,
  })
}

/** Which bodies are not read on the link of a peer. */
export function lazyOver(
  { answers, calls, refs }: { readonly answers: Answers; readonly calls: Calls; readonly refs: Refs },
  knows: () => boolean,
): Lazy {
  return {
    active: () => (answers.lazy || calls.lazy > 0 || refs.lazy) && knows(),
    request(head) {
      if (head?.to === undefined) return answers.lazy
      const target = refs.target(head.to)
      return !(target instanceof WatError) && target.service.lazy
    },
    reply: calls.isLazy,
    passLine: (id, text, bytes) => answers.passLine(id, text, bytes),
    replyLine: (id, text) => calls.replyLine(id, text),
  }
}

/** References that a peer gives and gets. */
export function refsOver(
  peer: { readonly outbox: Outbox; readonly calls: Calls; readonly answers: Answers },
  options: PeerOptions,
): Refs {
  return new Refs({
    outbox: peer.outbox,
    calls: () => peer.calls,
    answers: () => peer.answers,
    other: options.other,
    address: () => options.address,
    maxFrame: () => options.maxFrame,
    known: options.knowsReferences === true,
    onWork() {
      peer.answers.check()
      options.onSettle?.()
    },
  })
}
