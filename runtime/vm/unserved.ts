import { toFault } from '../edn/fault.ts'
import { WatError } from '../error.ts'
import { errorFrame } from '../wire/frames.ts'
import type { Outbox } from '../wire/outbox.ts'
import { Refusals } from '../wire/refusals.ts'
import { identity } from './identity.ts'

/** A request frame that has come. */
export interface Asked {
  id: number
  body: unknown
}

interface Held extends Asked {
  bytes: number
  cancelled: boolean
}

/** What a request takes besides its body, about: the smallest come in millions. */
const ITEM_BYTES = 64

/** Requests that wait for the program to serve; and from when it is known that it does not, for their refusal. */
export class Unserved {
  #requests: Held[] = []
  #bytes = 0
  #cancelled = 0
  /** The same by id, made with the first cancel: most programs never see one. */
  #byId: Map<number, Held> | undefined
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
    const held = { id, body, bytes: bytes + ITEM_BYTES, cancelled: false }
    this.#requests.push(held)
    this.#byId?.set(id, held)
    this.#bytes += held.bytes
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
    this.#byId ??= new Map(this.#requests.map(held => [held.id, held]))
    const held = this.#byId.get(id)
    if (!held) return
    this.#byId.delete(id)
    held.cancelled = true
    held.body = undefined
    this.#bytes -= held.bytes
    this.#cancelled++
    // They leave in bulk: looking for each would make a long queue quadratic.
    if (this.#cancelled > this.#requests.length / 2) this.#requests = this.#live()
  }

  /** All that wait for the program, in the order in which they came; none are left. */
  drain(): Asked[] {
    const requests = this.#live()
    this.#requests = []
    this.#byId = undefined
    this.#bytes = 0
    return requests
  }

  #live(): Held[] {
    this.#cancelled = 0
    return this.#requests.filter(held => !held.cancelled)
  }
}

function refusalFrame(id: number, error: WatError): string {
  return errorFrame(id, toFault(error, identity.address))
}

function tooMany(): WatError {
  return new WatError(
    'overloaded',
    `${identity.maxFrame} bytes of requests wait for ${identity.name} to serve`,
  )
}
