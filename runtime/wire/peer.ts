import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { Answers } from './answers.ts'
import type { Calls } from './calls.ts'
import { Credit, Intake } from './credit.ts'
import {
  endFrame,
  isAnswer,
  isRequest,
  takenFrame,
  writeValue,
  type Frame,
  type LineWriter,
} from './frames.ts'
import { BASIC_PROTOCOL } from './limits.ts'
import type { Handler } from './handler.ts'
import { Link } from './link.ts'
import { Outbox } from './outbox.ts'
import { dispatch, meaningless } from './dispatch.ts'
import type { Control, PeerOptions } from './peer-options.ts'
import { answersOver, callsOver, lazyOver, refsOver } from './peer-parts.ts'
import { framesWanted } from './reading.ts'
import { Receiver } from './receiver.ts'
import type { Refs } from './refs/refs.ts'
import { Refusals } from './refusals.ts'
import { Sender } from './sender.ts'
import { Service } from './service.ts'

/**
 * One end of a link: calls that are made or answered, and plain values both ways, over any source and sink. Each
 * side of every link is one of these, whatever its tier. A peer knows neither processes nor who it is.
 *
 * ```ts
 * const peer = new Peer({ … })
 * peer.open(source, sink) // and to answer: peer.serve(handler, 256)
 * await peer.calls.call(body)
 * ```
 */
export class Peer {
  readonly outbox: Outbox
  readonly calls: Calls
  readonly answers: Answers
  readonly refs: Refs
  /** Plain values from the other side. */
  readonly incoming: Receiver<unknown>
  /** Plain values to the other side. */
  readonly outgoing: Sender<unknown>
  /** @internal */
  readonly control: Control
  #link: Link | undefined
  #protocol = BASIC_PROTOCOL
  /** @internal */
  readonly credit = new Credit()
  readonly #intake: Intake
  readonly #refusals: Refusals
  #refused = false
  #saidEnd = false
  readonly #options: PeerOptions

  constructor(options: PeerOptions) {
    this.#options = options
    this.control = options.control
    const settle = () => this.settle()
    const { write, maxFrame } = options.plain ?? { write: writeValue, maxFrame: options.maxFrame }
    const writePlain: LineWriter = (out, id, value) => this.refs.writer.value(write, out, id, value)
    this.outbox = new Outbox(settle, (error, silently) => options.onBroken(error, silently))
    this.refs = refsOver(this, options)
    this.calls = callsOver(this, options, settle)
    this.#refusals = new Refusals(this.outbox, options, () => this.answers.refusal)
    this.#intake = new Intake({
      enabled: () => this.#protocol > BASIC_PROTOCOL,
      holds: () => this.outgoing.stuck && this.held < options.maxFrame,
      tell: count => this.outbox.push(takenFrame(count)),
    })
    const taken = (bytes: number) => this.#intake.taken(bytes)
    const link = {
      answerWith: (id: number, error: unknown) => this.#refusals.answerWith(id, error),
      refuse: (id: number, error?: WatError) => this.#refusals.push(id, error),
      tellsBegun: () => this.#protocol > BASIC_PROTOCOL,
      onTaken: taken,
      onRoom: () => this.#link?.demand(),
    }
    this.answers = new Answers(answersOver(this, link, writePlain, options))
    const read = () => {
      options.onRead?.()
      settle()
    }
    this.incoming = new Receiver(read, settle, taken)
    this.outgoing = new Sender(this.outbox, writePlain, maxFrame, this.credit, settle, () =>
      this.#endOutput(),
    )
  }

  /** Connects it. What was sent before goes behind `first`. */
  open(source: Source, sink: Sink, first?: string): void {
    this.outbox.attach(sink, first)
    this.#link = new Link(source, this.#options.maxFrame, {
      onFrame: (frame, bytes) => this.#onFrame(frame, bytes),
      knowsRaw: () => this.#protocol > BASIC_PROTOCOL,
      lazy: lazyOver(this, () => this.#protocol > BASIC_PROTOCOL),
      dereference: this.refs.dereference,
      onFault: (error, last) => this.#onFault(error, last),
      onEnd: () => {
        this.#onEnd()
        // Of one whose end says more, that comes later.
        if (!this.#options.onEnd)
          this.#lose(new WatError('offline', 'the input has ended: no reply can come'))
      },
      wanted: () => this.#wanted(),
      onIdle: () => {
        this.outbox.flush()
        this.#options.onSettle?.()
        this.#options.onIdle?.()
      },
    })
    this.#link.pump()
  }

  /** From now on both sides speak this version. Before they know it of each other they speak the basic one. */
  speak(protocol: number): void {
    if (protocol <= this.#protocol) return
    this.#protocol = protocol
    this.refs.know()
    this.credit.limit()
    this.calls.limit()
    this.answers.tellBegun()
    this.#intake.grant()
  }

  get opened(): boolean {
    return this.#link !== undefined
  }

  /** Whether end of input has come and everything before it was taken. */
  get ended(): boolean {
    return this.#saidEnd || (this.#link?.ended ?? true)
  }

  /** Whether a frame told the end of input: the other side of a connection is still there then. */
  get endedInOrder(): boolean {
    return this.#saidEnd
  }

  /** Whether everything that came has been delivered, or waits for a reader who has not come yet. */
  get drained(): boolean {
    return !this.#link || this.#link.ended || this.#wanted() === 0
  }

  /** What has come and is neither begun nor taken, in bytes. */
  get held(): number {
    return this.incoming.bytes + this.answers.waitingBytes + this.#refusals.bytes
  }

  /** @internal What is going on and what is held, each as a number: all are 0 where all has settled and been read. */
  get load(): Record<string, number> {
    return {
      ...this.calls.load,
      ...this.answers.load,
      ...this.refs.load,
      unread: this.incoming.bytes,
      unsent: this.outgoing.heldBytes,
      refused: this.#refusals.bytes,
      queued: this.outbox.queued,
    }
  }

  /** Whether the other side asks and asks and does not read what it is told. One that is ending need not. */
  get overasked(): boolean {
    return this.#refusals.full && this.#options.hurried?.() !== true
  }

  /** Whether something that has come keeps us from reading on. */
  get heldUp(): boolean {
    return this.#link?.ended === false && this.#wanted() === 0
  }

  /** Whether somebody here waits for the other side: a call, a reader, a value that waits to be sent, or a handler. */
  get waitedFor(): boolean {
    if (this.calls.pending > 0 || this.outgoing.heldBytes > 0) return true
    if (this.answers.busy) return true
    return !this.ended && !this.#refused && (this.answers.serving || this.incoming.wanted)
  }

  /** From now on `handler` answers. What has come already is served first, in order. Throws `denied` the second time. */
  serve(handler: Handler, concurrency: number): void {
    this.serveWith(new Service(handler, concurrency))
  }

  serveWith(service: Service): void {
    this.answers.serve(service, () => this.incoming.drain())
    if (this.#refused || this.#saidEnd || this.#link?.ended) this.answers.end()
    else this.#link?.pump()
  }

  /** The other side gets these before anything else that is sent from here on. Throws as a call does. */
  give(given: object): void {
    this.outbox.add(this.refs.writer.given, 1, given, this.#options.maxFrame)
  }

  /** Takes no new work: readers see end of input, requests are answered with `offline`. Idempotent. */
  refuse(): void {
    if (this.#refused) return
    this.#refused = true
    this.incoming.finish()
    this.answers.refuse(new WatError('offline', 'the process is stopping'))
    this.#link?.pump()
  }

  /** Takes what has come as all there will be, unless a reader has yet to come for the rest. */
  endInput(): void {
    if (this.#link && !this.#link.ended && this.#wanted() > 0) this.#link.endInput()
  }

  /** Writes what is owed, and last words; resolves when the output is written and closed for the other side. */
  end(lastWords?: string): Promise<void> {
    this.#refusals.flushAll()
    if (lastWords !== undefined) this.outbox.push(lastWords)
    return this.outbox.end()
  }

  /** The other side is gone: everything pending rejects with `reason`. Idempotent. */
  abort(reason: WatError): void {
    this.outbox.abort(reason)
    this.answers.abandon(reason)
    this.#lose(reason)
    this.#refusals.flush()
  }

  /** The only place that decides: read on? does somebody wait? To be called when something outside has changed that. */
  settle(): void {
    this.#refusals.flush()
    if (!this.outbox.full) this.answers.resume()
    this.#intake.grant()
    this.#link?.demand()
    this.#options.onSettle?.()
  }

  /** No more plain values and calls come from here. What the other side calls is answered all the same. */
  #endOutput(): Promise<void> {
    const { endsByFrame } = this.#options
    const known = endsByFrame === 'when known' && this.#protocol > BASIC_PROTOCOL
    if (endsByFrame !== 'always' && !known) return this.outbox.end()
    return this.outbox.sendLine(Buffer.from(endFrame())).catch(() => {}) // whoever owns the outbox is told
  }

  #wanted(): number {
    if (this.overasked) return 0
    return this.#refused ? 1 : framesWanted(this, this.#protocol, this.#options)
  }

  /** The other side answers no more, and what it has given works no more. */
  #lose(reason: WatError): void {
    this.calls.abort(reason)
    this.refs.abort(reason)
  }

  #onFrame(frame: Frame, bytes: number): void {
    if (frame.kind === 'value') return this.#onValue(frame.value, bytes)
    if (frame.kind === 'end') return this.#onEndFrame()
    if (frame.kind === 'lines') return this.#link?.oneFormPerLine()
    dispatch(frame, bytes, this)
  }

  #onValue(value: unknown, bytes: number): void {
    this.#intake.received(bytes)
    if (this.#refused) return this.#intake.taken(bytes)
    if (this.answers.serving) return this.answers.value(value, bytes)
    this.incoming.offer(value, bytes)
  }

  #onEndFrame(): void {
    if (!this.control.end) meaningless('end')
    this.#saidEnd = true
    this.#onEnd()
  }

  #onFault(error: WatError, last: boolean): void {
    const { head, incomplete } = (error.data ?? {}) as {
      head?: { tag: string; id: number }
      incomplete?: true
    }
    this.refs.drop()
    if (head && isRequest(head.tag)) this.#refusals.push(head.id, error)
    // A frame that the end of the input cuts off says less than that end, which is about to be told.
    else if (head && !incomplete && !last && isAnswer(head.tag))
      this.calls.fail(head.id, this.#options.blame?.(error) ?? error)
    this.#options.onFault(error)
  }

  #onEnd(): void {
    this.outgoing.lift()
    if (this.#options.onEnd) this.#options.onEnd()
    else this.incoming.finish()
    this.answers.end()
  }
}
