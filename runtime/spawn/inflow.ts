import { WatError } from '../error.ts'
import { FaultReports } from '../vm/throttle.ts'
import type { Calls } from '../wire/calls.ts'
import { toFault } from '../edn/fault.ts'
import { errorFrame, type Frame } from '../wire/frames.ts'
import { HIGH_WATER_BYTES } from '../wire/limits.ts'
import { Link } from '../wire/link.ts'
import type { Outbox } from '../wire/outbox.ts'
import type { Source } from '../wire/pipe.ts'
import { Receiver } from '../wire/receiver.ts'
import type { Readiness } from './readiness.ts'

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
  #link: Link | undefined
  #received = 0
  readonly #faults = new FaultReports()

  constructor(options: InflowOptions) {
    this.#options = options
    const demand = () => options.onDemand()
    this.receiver = new Receiver(demand, demand)
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
      onEnd: () => this.receiver.finish(),
      wanted: () => this.#wanted(),
      onIdle: () => {
        outbox.flush()
        this.#options.onIdle()
      },
    })
  }

  /** More may be wanted than before. */
  demand(): void {
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

  /** Takes what has come as all there will be, unless a reader has yet to come for the rest. */
  end(): void {
    if (!this.#link) this.receiver.finish()
    else if (this.#wanted()) this.#link.endInput()
  }

  /**
   * A reader who waits, a call that waits for its reply and a child that is ending all want everything,
   * within the size of one frame; so does our own blocked stdin, or two processes that both send before
   * they read would wait for each other for ever. Otherwise a little is read ahead.
   */
  #wanted(): boolean {
    const { receiver } = this
    if (receiver.wanted) return true
    const { calls, outbox, maxFrame } = this.#options
    const more = calls.pending > 0 || outbox.full || this.#options.hurried()
    return receiver.bytes < (more ? maxFrame : HIGH_WATER_BYTES)
  }

  #onFrame(frame: Frame, bytes: number): void {
    const { calls, outbox, address, maxFrame } = this.#options
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
      case 'request': {
        const refusal = new WatError('no-handler', 'a parent does not serve its children', { address })
        return outbox.push(errorFrame(frame.id, toFault(refusal, address), maxFrame))
      }
      case 'cancel':
        return // of a request that was refused
      case 'exit':
        if (this.#options.onExit(frame.info)) return
        return this.#onFault(new WatError('malformed', 'a #wat/exit frame has no meaning from a child'))
      case 'end':
      case 'stop':
      case 'run':
        return this.#onFault(
          new WatError('malformed', `a #wat/${frame.kind} frame has no meaning from a child`),
        )
    }
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
