import type { WatError } from '../error.ts'
import type { Callee } from './callable.ts'
import type { Handler } from './handler.ts'

interface ServiceKind {
  relays?: Callee
  isWork?: boolean
  lazy?: boolean | undefined
}

/**
 * A handler, and how many requests it takes at once, whichever links they come by. Whoever has requests that wait
 * for it is woken when one has been answered, each in its turn.
 */
export class Service {
  readonly handler: Handler
  readonly concurrency: number
  /** It only passes on to this: a request has begun when it has begun there. */
  readonly relays: Callee | undefined
  /** It takes bodies that are not read. */
  readonly lazy: boolean
  /** That somebody has it is work in flight, as an open stream is. */
  readonly isWork: boolean
  /** Why it answers no more: nothing is begun, and what has begun is over. */
  over: WatError | undefined
  #inFlight = 0
  readonly #waiting = new Set<() => void>()

  constructor(
    handler: Handler,
    concurrency: number,
    { relays, isWork = false, lazy = relays !== undefined }: ServiceKind = {},
  ) {
    this.handler = handler
    this.concurrency = concurrency
    this.relays = relays
    this.isWork = isWork
    this.lazy = lazy
  }

  get free(): boolean {
    return this.#inFlight < this.concurrency
  }

  enter(): void {
    this.#inFlight++
  }

  leave(): void {
    this.#inFlight--
    if (this.#waiting.size === 0) return
    for (const wake of Array.from(this.#waiting)) {
      if (!this.free) return
      // To the end of the queue, unless it has left it: another link goes first the next time.
      if (this.#waiting.delete(wake)) this.#waiting.add(wake)
      wake()
    }
  }

  /** Calls back when there may be room. What it gives takes that back. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => void this.#waiting.delete(wake)
  }
}
