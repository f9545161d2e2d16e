import type { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import { toFault } from '../edn/fault.ts'
import { writeWithin } from '../wire/fit.ts'
import {
  errorFrame,
  lineText,
  tags,
  writeReply,
  writeValue,
  type Frame,
  type LineWriter,
} from '../wire/frames.ts'
import { HIGH_WATER_BYTES } from '../wire/limits.ts'
import { Link } from '../wire/link.ts'
import { Outbox } from '../wire/outbox.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { Receiver } from '../wire/receiver.ts'
import { Sender } from '../wire/sender.ts'
import { identity } from './identity.ts'
import type { PortEvents } from './port-events.ts'
import type { Server } from './server.ts'
import { watchUnread } from './unread.ts'
import { Unserved } from './unserved.ts'

/** This process's own end of its pipes: what comes in from whoever started it, and what goes back. */
export class Port {
  #link: Link | undefined
  #source: Source | undefined
  #events: PortEvents | undefined
  #server: Server | undefined
  #refused = false
  #saidEnd = false
  #ref = false
  #writeValue = writeValue
  #onUse = () => {}

  readonly outbox = new Outbox(
    () => this.#onRoom(),
    (error, silently) => {
      this.outbox.abort(error)
      this.#onRoom() // for what it drops
      this.#events?.onBroken(error, silently)
    },
  )
  readonly stdin = new Receiver<unknown>(
    () => this.#demand(),
    () => this.#link?.pump(),
  )
  readonly stdout: Sender<unknown>
  readonly #unserved = new Unserved(this.outbox)
  readonly #watch = watchUnread(this.stdin, () => this.#unserved.refused && !this.#server && !this.ended)

  constructor() {
    this.stdout = new Sender(this.outbox, (out, id, value) => this.#writePlain(out, id, value), Infinity)
  }

  /** Connects the pipes. Until then this is a plain Node program, which has none. */
  open(source: Source, sink: Sink, events: PortEvents): void {
    this.#events = events
    this.#source = source
    this.outbox.attach(sink)
    this.#link = new Link(source, identity.maxFrame, {
      onFrame: (frame, bytes) => this.#onFrame(frame, bytes),
      onFault: error => this.#onFault(error),
      onEnd: () => this.#onEnd(),
      wanted: () => this.#wanted(),
      onIdle: () => {
        this.outbox.flush()
        this.#updateRef()
        this.#watch.look()
      },
    })
    this.#link.pump()
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

  /** Whether whoever read our output has closed it. */
  get readerGone(): boolean {
    const data = this.outbox.failure?.data as { code?: string } | undefined
    return data?.code === 'EPIPE' || data?.code === 'ECONNRESET'
  }

  /** Calls back the first time the program uses its pipes. */
  onFirstUse(callback: () => void): void {
    this.#onUse = () => {
      this.#onUse = () => {}
      callback()
    }
  }

  /** How plain values are written; frames are not affected. */
  writeValuesWith(write: LineWriter): void {
    this.#writeValue = write
  }

  /** From now on `server` answers. What has come already is served first, in order. */
  serve(server: Server): void {
    if (!this.opened) throw notStarted()
    if (this.#server) throw new WatError('denied', 'this process is serving already')
    this.#onUse()
    this.#server = server
    for (const body of this.stdin.drain()) server.onItem({ id: undefined, body })
    this.#unserved.drain().forEach(request => server.onItem(request))
    if (this.#refused || this.ended) server.onEnd()
    else this.pump()
  }

  get serving(): boolean {
    return this.#server !== undefined
  }

  /** Looks again whether more input is wanted. */
  pump = (): void => this.#link?.pump()

  /** Takes no new work: readers see end of input, requests are answered with `offline`. */
  refuse(): void {
    if (this.#refused) return
    this.#refused = true
    this.stdin.finish()
    this.#server?.onEnd()
    this.refuseRequests(new WatError('offline', 'the process is stopping'))
  }

  /** Answers requests with `refusal` from now on, unless somebody serves. */
  refuseRequests(refusal: WatError): void {
    this.#unserved.refuse(refusal)
    this.#link?.pump()
  }

  reply(id: number, body: unknown): void {
    this.outbox.add(writeReply, id, body, identity.maxFrame)
  }

  fail(id: number, error: unknown): void {
    this.outbox.push(errorFrame(id, toFault(error, identity.address), identity.maxFrame))
  }

  /** Writes what is owed, and last words; resolves when the output is written and closed for the other side. */
  end(lastWords?: string): Promise<void> {
    this.#unserved.flushAll()
    if (lastWords !== undefined) this.outbox.push(lastWords)
    return this.outbox.end()
  }

  /** The text of a plain value; throws what `send` rejects with. */
  plain(value: unknown): string {
    return lineText((out, id, body) => this.#writePlain(out, id, body), value)
  }

  /** A shell takes values of any size. */
  #writePlain(out: Out, id: number, value: unknown): void {
    if (!this.opened) throw notStarted()
    this.#onUse()
    if (identity.role !== 'child') return this.#writeValue(out, id, value)
    writeWithin(out, this.#writeValue, id, value, identity.maxFrame)
  }

  #onRoom(): void {
    this.#unserved.flush()
    this.#link?.pump()
  }

  #demand(): void {
    if (!this.opened) return this.stdin.finish()
    this.#onUse()
    this.#link?.demand()
    this.#updateRef()
  }

  /** Input is read while somebody waits for it, and a little ahead so that a stop is seen. */
  #wanted(): boolean {
    if (this.#unserved.unheard) return false
    if (this.#refused) return true
    if (this.#server) return this.#server.wanted() && !this.outbox.full
    return this.stdin.wanted || this.stdin.bytes + this.#unserved.bytes < this.#readAhead()
  }

  /**
   * While our own output is stuck the other side may be stuck in the same way, both sending before
   * they read. Then input is taken into memory, up to the size of one frame.
   */
  #readAhead(): number {
    return this.outbox.full ? identity.maxFrame : HIGH_WATER_BYTES
  }

  #onFrame(frame: Frame, bytes: number): void {
    switch (frame.kind) {
      case 'value':
        if (this.#refused) return
        if (this.#server) return this.#server.onItem({ id: undefined, body: frame.value })
        return this.stdin.offer(frame.value, bytes)
      case 'request':
        if (this.#server && !this.#refused) return this.#server.onItem({ id: frame.id, body: frame.body })
        return this.#unserved.push(frame.id, frame.body, bytes)
      case 'cancel':
        if (this.#server) return this.#server.onCancel(frame.id)
        return this.#unserved.cancel(frame.id)
      case 'end':
        this.#saidEnd = true
        return this.#onEnd()
      case 'stop':
        return this.#events?.onStop(frame.graceMs)
      case 'run':
        return this.#events?.onRun(frame.info)
      default:
        this.#onFault(new WatError('malformed', `a #${tags[frame.kind]} frame has no meaning here`))
    }
  }

  #onFault(error: WatError): void {
    const head = (error.data as { head?: { tag?: unknown; id?: unknown } } | undefined)?.head
    if (head?.tag === 'wat/req' && typeof head.id === 'number') this.#unserved.fail(head.id, error)
    this.#events?.onFault(error)
  }

  #onEnd(): void {
    this.stdin.finish()
    this.#server?.onEnd()
  }

  /** A pending read keeps the process alive, and so does serving; an unread stdin does not. */
  #updateRef(): void {
    const waitedFor = !this.ended && !this.#refused && (this.#server !== undefined || this.stdin.wanted)
    if (waitedFor === this.#ref) return
    this.#ref = waitedFor
    this.#source?.setRef(waitedFor)
    if (waitedFor) this.#events?.onWaiting?.()
  }
}

function notStarted(): WatError {
  return new WatError('denied', 'this program was not started by wat: it has no pipes of its own')
}

/** This process's own port. */
export const port = new Port()
