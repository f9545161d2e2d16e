import { describe } from '../edn/describe.ts'
import { located, siteHere } from '../edn/stack.ts'
import { WatError } from '../error.ts'
import { isVersion } from '../wire/checks.ts'
import { PROTOCOL } from '../wire/limits.ts'

/** A command that is not ours and says nothing counts as ready this much later, if it has not ended by then. */
const QUIET_MS = 1000

interface Events {
  onReady(): void
  /** It speaks this version of the protocol, and could speak the other one, if that is newer. */
  onProtocol(protocol: number, most: number): void
  /** It speaks another version of the protocol. */
  onStranger(error: WatError): void
}

/** Whether a process has been loaded and has done its first step, and what it can be told. */
export class Readiness {
  /** Whether it is known to understand frames. */
  speaks: boolean
  pending = true
  #greeted = false
  readonly #address: string
  /** A command that is not ours may never say that it is ready. */
  readonly #foreign: boolean
  readonly #events: Events
  readonly #settle = Promise.withResolvers<void>()

  constructor(address: string, foreign: boolean, events: Events) {
    this.#address = address
    this.#foreign = foreign
    this.speaks = !foreign
    this.#events = events
    this.#settle.promise.catch(() => {})
  }

  /** Settles once; an error names the line that asked for this. Nobody has to await it. */
  get promise(): Promise<void> {
    const site = siteHere()
    const settled = this.#settle.promise.catch((error: WatError) => {
      throw located(error, { peer: this.#address, site })
    })
    settled.catch(() => {})
    return settled
  }

  /** It has been started. */
  begin(): void {
    if (this.#foreign) setTimeout(() => this.#resolve(), QUIET_MS).unref()
  }

  /** It has written something. */
  onBytes(): void {
    if (this.#foreign) this.#resolve()
  }

  /** It has written `#wat/ready`. */
  onFrame({ protocol, most }: Record<string, unknown>): void {
    if (this.#greeted) return // once is enough, whatever it says then
    this.#greeted = true
    this.speaks = true
    if (isVersion(protocol) && protocol <= PROTOCOL) {
      this.#events.onProtocol(protocol, isVersion(most) ? Math.min(most, PROTOCOL) : protocol)
      return this.#resolve()
    }
    const message = `${this.#address} speaks version ${describe(protocol)} of the protocol, this process ${PROTOCOL}`
    const error = new WatError('denied', message, { address: this.#address })
    this.fail(error)
    this.#events.onStranger(error)
  }

  fail(reason: WatError): void {
    this.pending = false
    this.#settle.reject(reason)
  }

  #resolve(): void {
    if (!this.pending) return
    this.pending = false
    this.#settle.resolve()
    this.#events.onReady()
  }
}
