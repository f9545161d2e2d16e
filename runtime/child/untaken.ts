import { MAX_TIMER_MS } from '../wire/limits.ts'
import type { Peer } from '../wire/peer.ts'

/**
 * What a child was sent and has not taken. Some of it waits for its pipe, which keeps the event loop alive, as Node
 * has it; some waits until the child has taken other values, and a timer does the same for that.
 */
export class Untaken {
  readonly #peer: Peer
  #keeper: NodeJS.Timeout | undefined

  constructor(peer: Peer) {
    this.#peer = peer
  }

  get bytes(): number {
    return this.#peer.outbox.unwritten + this.#peer.outgoing.heldBytes
  }

  /** What keeps the event loop alive on its account. */
  get waits(): number {
    return (this.#peer.outbox.unwritten > 0 ? 1 : 0) + (this.#keeper ? 1 : 0)
  }

  /** Something may have been taken, or may wait. */
  update(): void {
    const { waits } = this.#peer.outgoing
    if (waits === (this.#keeper !== undefined)) return
    clearInterval(this.#keeper)
    this.#keeper = waits ? setInterval(() => {}, MAX_TIMER_MS) : undefined
  }
}
