import { WatError } from '../error.ts'
import { log } from '../vm/log.ts'
import { FaultReports } from '../vm/throttle.ts'
import type { Calls } from '../wire/calls.ts'
import { toFault } from '../edn/fault.ts'
import { errorFrame, type Frame } from '../wire/frames.ts'
import { HIGH_WATER_BYTES } from '../wire/limits.ts'
import { Link } from '../wire/link.ts'
import type { Outbox } from '../wire/outbox.ts'
import type { Source } from '../io/pipe.ts'
import { Receiver } from '../wire/receiver.ts'
import { Refusals } from '../wire/refusals.ts'
import { Standstill } from '../wire/standstill.ts'
import type { Readiness } from './readiness.ts'

/**
 * How a child has ended tells whether the end of its output was one. The two come together, so a child that has
 * closed its output and still lives so much later has done that on purpose.
 */
const EXIT_MS = 2000

interface InflowOptions {
  address: string
  maxFrame: number
  calls: Calls
  outbox: Outbox
  readiness: Readiness
  /** It has told how it ended; false where only the system can know that. */
  onExit(info: Record<string, unknown>): boolean
  onDemand(): void
  /** What had come has been delivered: nobody may wait any more. */
  onIdle(): void
  /** Whether the child is ending and everything it writes is to be read. */
  hurried(): boolean
}

/** What comes out of a child's stdout: replies to the calls, plain values to the receiver. */
export class Inflow {
  readonly receiver: Receiver<unknown>
  readonly #options: InflowOptions
  readonly #refusals: Refusals
  readonly #standstill = new Standstill(
    () => (this.#heldUp ? this.receiver.taken : undefined),
    () => this.#warn(),
  )
  #link: Link | undefined
  #received = 0
  readonly #faults = new FaultReports()
  #gone = false
  #failure: WatError | undefined

  constructor(options: InflowOptions) {
    this.#options = options
    const demand = () => options.onDemand()
    this.receiver = new Receiver(demand, demand)
    const { address, maxFrame, outbox } = options
    const refusal = new WatError('no-handler', 'a parent does not serve its children', { address })
    this.#refusals = new Refusals(outbox, id => errorFrame(id, toFault(refusal, address), maxFrame))
  }

  open(source: Source): void {
    const { maxFrame, outbox, readiness } = this.#options
    const count = (bytes: number) => {
      this.#received += bytes
      if (readiness.pending) readiness.onBytes()
    }
    this.#link = new Link(counted(source, count), maxFrame, {
      onFrame: (frame, bytes) => this.#onFrame(frame, bytes),
      onFault: error => this.#onFault(error),
      onEnd: () => this.#onEnd(),
      wanted: () => this.#wanted(),
      onIdle: () => {
        outbox.flush()
        this.#options.onIdle()
        this.#standstill.look()
      },
    })
  }

  /** More may be wanted than before. */
  demand(): void {
    this.#refusals.flush()
    this.#link?.demand()
  }

  /** Bytes that have come so far. */
  get received(): number {
    return this.#received
  }

  /** Whether everything it wrote has been delivered, or waits for a reader who has not come yet. */
  get drained(): boolean {
    return !this.#link || this.#link.ended || !this.#wanted()
  }

  /**
   * It is gone: takes what has come as all there will be, unless a reader has yet to come for the rest. With a
   * failure what it wrote is not whole, and a reader is told so behind the last value.
   */
  end(failure: WatError | undefined): void {
    this.#gone = true
    this.#failure = failure
    if (!this.#link || this.#link.ended) this.receiver.finish(failure)
    else if (this.#wanted()) this.#link.endInput()
  }

  #onEnd(): void {
    if (this.#gone) return this.receiver.finish(this.#failure)
    setTimeout(() => this.receiver.finish(), EXIT_MS).unref()
  }

  /**
   * A reader who waits, a call that waits for its reply and a child that is ending all want everything,
   * within the size of one frame; so does our own blocked stdin, or two processes that both send before
   * they read would wait for each other for ever. Otherwise a little is read ahead.
   */
  #wanted(): boolean {
    const { receiver } = this
    const { calls, outbox, maxFrame } = this.#options
    if (this.#overasked) return false
    if (receiver.wanted) return true
    const more = calls.pending > 0 || outbox.full || this.#options.hurried()
    return receiver.bytes < (more ? maxFrame : HIGH_WATER_BYTES)
  }

  #onFrame(frame: Frame, bytes: number): void {
    const { calls } = this.#options
    switch (frame.kind) {
      case 'value':
        return this.receiver.offer(frame.value, bytes)
      case 'reply':
        if (!calls.reply(frame.id, frame.body)) this.#unknownId(frame.id)
        return
      case 'error':
        if (!calls.error(frame.id, frame.fault)) this.#unknownId(frame.id)
        return
      case 'ready':
        return this.#options.readiness.onFrame(frame.info)
      case 'request':
        // What is ending is read to its end, and in the end has nobody left to tell.
        if (!this.#refusals.full) this.#refusals.push(frame.id)
        return
      case 'cancel':
        return // of a request that was refused
      case 'exit':
        if (this.#options.onExit(frame.info)) return this.#onExit(frame.info)
        return this.#onFault(new WatError('malformed', 'a #wat/exit frame has no meaning from a child'))
      case 'end':
      case 'stop':
      case 'run':
        return this.#onFault(
          new WatError('malformed', `a #wat/${frame.kind} frame has no meaning from a child`),
        )
    }
  }

  /** It may tell behind values that nobody had read when its connection closed. */
  #onExit({ code, panic }: Record<string, unknown>): void {
    if (this.#gone && code === 0 && panic === undefined) this.#failure = undefined
  }

  /** Whether it asks and asks and does not read what it is told. One that is ending need not: nobody waits there. */
  get #overasked(): boolean {
    return this.#refusals.full && !this.#options.hurried()
  }

  /** Whether replies stand behind something that keeps us from reading on. */
  get #heldUp(): boolean {
    return this.#options.calls.pending > 0 && this.#link?.ended === false && !this.#wanted()
  }

  #warn(): void {
    const { address, calls } = this.#options
    const bytes = this.receiver.bytes
    const what = this.#overasked
      ? 'requests to us, whose refusals it does not read,'
      : `plain values that nobody reads, ${bytes} bytes,`
    const way = this.#overasked ? 'a parent does not serve' : 'read its stdout, or close() it'
    const data = { child: address, bytes, pending: calls.pending }
    log.warn(`${what} hold up the replies of ${address}: ${way}`, data)
  }

  #unknownId(id: number): void {
    this.#onFault(
      new WatError('malformed', `a reply to request ${id}, which was never made`, { data: { id } }),
    )
  }

  #onFault(error: WatError): void {
    const { head, incomplete } = (error.data ?? {}) as {
      head?: { tag: string; id: number }
      incomplete?: true
    }
    // A frame that its end cut off says less than that end, which is about to be told.
    if (!incomplete && (head?.tag === 'wat/rep' || head?.tag === 'wat/err')) {
      this.#options.calls.fail(head.id, this.#named(error))
    }
    this.#faults.report(error, fault => this.#named(fault))
  }

  /** The same error with the child's name on it: it is the child that broke the protocol. */
  #named(error: WatError): WatError {
    const { code, message, data, cause } = error
    return new WatError(code, `from ${this.#options.address}: ${message}`, {
      address: this.#options.address,
      data,
      ...(cause !== undefined && { cause }),
    })
  }
}

function counted(source: Source, count: (bytes: number) => void): Source {
  return {
    pause: () => source.pause(),
    resume: () => source.resume(),
    setRef: on => source.setRef(on),
    close: () => source.close(),
    open(onBytes, onEnd) {
      source.open(chunk => {
        count(chunk.length)
        onBytes(chunk)
      }, onEnd)
    },
  }
}
