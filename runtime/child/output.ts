import type { WatError } from '../error.ts'
import type { Source } from '../io/pipe.ts'
import { log } from '../vm/log.ts'
import type { Peer } from '../wire/peer.ts'
import { Standstill } from '../wire/standstill.ts'
import type { Readiness } from './readiness.ts'
import type { Flow } from './running.ts'

/**
 * How a child has ended tells whether the end of its output was one. The two come together, so a child that has
 * closed its output and still lives so much later has done that on purpose.
 */
const EXIT_MS = 2000

/** What comes out of a child's stdout, as far as its end and its standing still are concerned. */
export class Output implements Flow {
  /** Bytes that have come so far. */
  received = 0
  #gone = false
  #failure: WatError | undefined
  readonly #address: string
  readonly #peer: Peer
  readonly #readiness: Readiness
  readonly #standstill: Standstill

  constructor(address: string, peer: Peer, readiness: Readiness) {
    this.#address = address
    this.#peer = peer
    this.#readiness = readiness
    this.#standstill = new Standstill(
      () => (peer.calls.pending > 0 && peer.heldUp ? peer.incoming.taken : undefined),
      () => this.#warn(),
    )
  }

  /** Whether everything it wrote has been delivered, or waits for a reader who has not come yet. */
  get drained(): boolean {
    return this.#peer.drained
  }

  /** The same source, watched. */
  of(source: Source): Source {
    return {
      pause: () => source.pause(),
      resume: () => source.resume(),
      setRef: on => source.setRef(on),
      close: () => source.close(),
      open: (onBytes, onEnd) => {
        source.open(chunk => {
          this.received += chunk.length
          if (this.#readiness.pending) this.#readiness.onBytes()
          onBytes(chunk)
        }, onEnd)
      },
    }
  }

  /** A chunk has been worked off. */
  look(): void {
    this.#standstill.look()
  }

  /**
   * It is gone: takes what has come as all there will be, unless a reader has yet to come for the rest. With a
   * failure what it wrote is not whole, and a reader is told so behind the last value.
   */
  end(failure: WatError | undefined): void {
    this.#gone = true
    this.#failure = failure
    if (this.#peer.ended) this.#peer.incoming.finish(failure)
    else this.#peer.endInput()
  }

  /** Its stdout has ended. */
  onEnd(): void {
    if (this.#gone) return this.#peer.incoming.finish(this.#failure)
    setTimeout(() => this.#peer.incoming.finish(), EXIT_MS).unref()
  }

  /** It tells that it has ended in order, maybe behind values that nobody had read when its connection closed. */
  endedInOrder(): void {
    if (this.#gone) this.#failure = undefined
  }

  #warn(): void {
    const { calls, incoming, overasked } = this.#peer
    const { bytes } = incoming
    const what = overasked
      ? 'requests to us, whose refusals it does not read,'
      : `plain values that nobody reads, ${bytes} bytes,`
    const way = overasked ? 'a parent does not serve' : 'read its stdout, or close() it'
    const data = { child: this.#address, bytes, pending: calls.pending }
    log.warn(`${what} hold up the replies of ${this.#address}: ${way}`, data)
  }
}
