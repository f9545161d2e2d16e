import { toFault } from '../edn/fault.ts'
import { WatError } from '../error.ts'
import { errorFrame } from '../wire/frames.ts'
import type { Outbox } from '../wire/outbox.ts'
import { Refusals } from '../wire/refusals.ts'
import { identity } from './identity.ts'
import { Waiting } from './waiting.ts'

/** A request frame that has come. */
export interface Asked {
  id: number
  body: unknown
}

interface Held extends Asked {
  bytes: number
}

/** What a request takes besides its body, about: the smallest come in millions. */
const ITEM_BYTES = 64

/** Requests that wait for the program to serve; and from when it is known that it does not, for their refusal. */
export class Unserved {
  readonly #requests = new Waiting<Held>()
  #bytes = 0
  #refusal: WatError | undefined
  readonly #refusals: Refusals

  constructor(outbox: Outbox) {
    this.#refusals = new Refusals(outbox, id => refusalFrame(id, this.#refusal ?? tooMany()))
  }

  /** What those that wait hold, about. */
  get bytes(): number {
    return this.#bytes + this.#refusals.bytes
  }

  /** Whether whoever asks reads too little of what it is told. */
  get unheard(): boolean {
    return this.#refusals.full
  }

  /** Whether requests are refused from now on. */
  get refused(): boolean {
    return this.#refusal !== undefined
  }

  push(id: number, body: unknown, bytes: number): void {
    // A program that reads its values by hand must not have to hold requests without bound to get at them.
    if (this.#refusal || this.#bytes >= identity.maxFrame) return this.#refusals.push(id)
    this.#requests.push({ id, body, bytes: bytes + ITEM_BYTES })
    this.#bytes += bytes + ITEM_BYTES
  }

  /** Answers those that wait, and all that come from now on, with `refusal`. */
  refuse(refusal: WatError): void {
    this.#refusal = refusal
    for (const { id } of this.drain()) this.#refusals.push(id)
  }

  /** Answers one request with an error of its own. */
  fail(id: number, error: WatError): void {
    this.#refusals.push(refusalFrame(id, error))
  }

  /** The output has room again. */
  flush(): void {
    this.#refusals.flush()
  }

  /** Answers whoever waits for a refusal, room or not: the output ends. */
  flushAll(): void {
    this.#refusals.flushAll()
  }

  /** The caller no longer wants the reply. */
  cancel(id: number): void {
    this.#bytes -= this.#requests.remove(id)?.bytes ?? 0
  }

  /** All that wait for the program, in the order in which they came; none are left. */
  drain(): Asked[] {
    this.#bytes = 0
    return this.#requests.drain()
  }
}

function refusalFrame(id: number, error: WatError): string {
  return errorFrame(id, toFault(error, identity.address), identity.maxFrame)
}

function tooMany(): WatError {
  return new WatError(
    'overloaded',
    `${identity.maxFrame} bytes of requests wait for ${identity.name} to serve`,
  )
}
