import type { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { meaningless } from '../wire/dispatch.ts'
import { writeWithin } from '../wire/fit.ts'
import { writeValue, type LineWriter } from '../wire/frames.ts'
import { isPlainMap, versionOf } from '../wire/checks.ts'
import { MAX_TIMER_MS } from '../wire/limits.ts'
import { Peer } from '../wire/peer.ts'
import type { Control } from '../wire/peer-options.ts'
import type { Service } from '../wire/service.ts'
import { identity } from './identity.ts'
import { reportFault } from './log.ts'
import { status } from './status.ts'
import { watchUnread } from './unread.ts'

interface PortEvents extends Pick<Control, 'run' | 'stop'> {
  /** The input held something malformed or too large. */
  onFault(error: WatError): void
  /** The program waits for input. */
  onWaiting(): void
  /** Whoever reads our output is gone, or it cannot be written. `silently`: no sender will be told of a loss. */
  onBroken(error: WatError, silently: boolean): void
}

/** This process's own end of its pipes: the peer of whoever started it. */
class Port {
  #source: Source | undefined
  #events: PortEvents | undefined
  #ref = false
  readonly #given = Promise.withResolvers<Record<string, unknown>>()
  #wasGiven = false
  #writeValue = writeValue
  #onUse = () => {}
  readonly #control: Control = {
    end: true,
    given: body => this.#onGiven(body),
    hello: ({ protocol }) => this.peer.speak(versionOf(protocol)),
  }

  readonly peer: Peer = new Peer({
    other: { name: 'the parent', address: 'the parent' },
    get address() {
      return identity.address
    },
    get maxFrame() {
      return identity.maxFrame
    },
    control: this.#control,
    plain: { write: (out, id, value) => this.#writePlain(out, id, value), maxFrame: Infinity },
    onFault: error => this.#events?.onFault(error),
    onPlainFailed(error) {
      status.plainFailed = true
      reportFault(error)
    },
    onBroken: (error, silently) => {
      this.outbox.abort(error)
      this.peer.settle() // for what it drops
      this.#events?.onBroken(error, silently)
    },
    onRead: () => {
      if (this.opened) this.#onUse()
      else this.stdin.finish()
    },
    onSettle: () => this.#updateRef(),
    onIdle: () => this.#watch.look(),
  })
  readonly stdin = this.peer.incoming
  readonly stdout = this.peer.outgoing
  readonly outbox = this.peer.outbox
  readonly #watch = watchUnread(
    this.stdin,
    () => this.peer.answers.declines && !this.serving && this.peer.heldUp,
  )

  /** Connects the pipes. Until then this is a plain Node program, which has none. */
  open(source: Source, sink: Sink, events: PortEvents): void {
    this.#events = events
    this.#source = source
    Object.assign(this.#control, { run: events.run, stop: events.stop })
    this.peer.speak(identity.protocol)
    this.peer.open(source, sink)
  }

  get opened(): boolean {
    return this.peer.opened
  }

  get serving(): boolean {
    return this.peer.answers.serving
  }

  /** Waits for what whoever started this process gives it. Rejects with `offline` when that is gone before. */
  async given(): Promise<Record<string, unknown>> {
    const keepAlive = setInterval(() => {}, MAX_TIMER_MS)
    try {
      const gone = this.peer.answers.done.then(() => {
        throw new WatError('offline', 'the input has ended before #wat/given came')
      })
      return await Promise.race([this.#given.promise, gone])
    } finally {
      clearInterval(keepAlive)
    }
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

  /** From now on it answers. Throws `denied` the second time, and where there are no pipes. */
  serve(service: Service): void {
    if (!this.opened) throw notStarted()
    this.#onUse()
    this.peer.serveWith(service)
  }

  #onGiven(body: unknown): void {
    if (!isPlainMap(body)) throw new WatError('malformed', '#wat/given takes a map with keyword keys')
    if (this.#wasGiven) meaningless('given')
    this.#wasGiven = true
    this.#given.resolve(body)
  }

  /** A shell takes values of any size. */
  #writePlain(out: Out, id: number, value: unknown): void {
    if (!this.opened) throw notStarted()
    this.#onUse()
    if (identity.role !== 'child') return this.#writeValue(out, id, value)
    writeWithin(out, this.#writeValue, id, value, identity.maxFrame)
  }

  /** A pending read keeps the process alive, and so does serving; an unread stdin does not. */
  #updateRef(): void {
    const { waitedFor } = this.peer
    if (waitedFor === this.#ref) return
    this.#ref = waitedFor
    this.#source?.setRef(waitedFor)
    if (waitedFor) this.#events?.onWaiting()
  }
}

function notStarted(): WatError {
  return new WatError('denied', 'this program was not started by wat: it has no pipes of its own')
}

/** This process's own port. */
export const port = new Port()
