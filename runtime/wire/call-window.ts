import { CALL_PLACES, CALL_WINDOW_BYTES } from './limits.ts'
import { Queue, type Place } from './queue.ts'

/** What it needs to know of a call. */
interface Placed<Call> {
  readonly window: CallWindow<Call>
  /** What its request takes of the room at the other end. */
  bytes: number
  /** While it waits. */
  place?: Place<Call>
}

/**
 * Calls to one target of the other side: whatever serves there, or a reference. Each has room of its own, for calls
 * that wait for one must not keep those away on which its handlers wait.
 */
export class CallWindow<Call> {
  /** Sent and not settled. */
  open = 0
  /** Those of them whose handlers have not begun, and their bytes. */
  places = 0
  bytes = 0
  /** Not sent yet. */
  readonly waiting = new Queue<Call>()
  /** How many may be open. Without it those count whose handlers have not begun. */
  readonly #most: number | undefined

  constructor(most: number | undefined) {
    this.#most = most
  }

  get idle(): boolean {
    return this.open === 0 && this.waiting.size === 0
  }

  /** Whether the callee has room for another. `credit`: it tells when handlers begin. */
  hasRoom(credit: boolean): boolean {
    if (this.#most !== undefined) {
      if (this.open >= this.#most) return false
      if (!credit) return true
    }
    return this.places < CALL_PLACES && (!credit || this.bytes < CALL_WINDOW_BYTES)
  }

  /** It takes a place, and so many bytes. */
  enter(call: Placed<Call>, bytes: number): void {
    call.bytes = bytes
    this.bytes += bytes
    this.places++
  }

  /** Its handler has begun, or never will. */
  leave(call: Placed<Call>): void {
    if (call.bytes === 0) return
    this.places--
    this.bytes -= call.bytes
    call.bytes = 0
  }
}

/** Those of one link, and what waits in them. */
export class CallWindows<Call extends Placed<Call>> {
  /** For whatever serves at the other end. */
  readonly main: CallWindow<Call>
  /** Calls that are not sent yet. */
  waiting = 0
  readonly #byRef = new Map<number, CallWindow<Call>>()

  /** `most`: so many calls of what serves may be open. */
  constructor(most: number | undefined) {
    this.main = new CallWindow(most)
  }

  /** The one for this reference, by its number; 0: for whatever serves. */
  of(to: number): CallWindow<Call> {
    return to === 0 ? this.main : (this.#byRef.get(to) ?? this.#open(to))
  }

  all(): CallWindow<Call>[] {
    return [this.main, ...this.#byRef.values()]
  }

  /** What is going on, each as a number. */
  get load(): Record<string, number> {
    const all = this.all()
    return {
      unsentCalls: this.waiting,
      places: all.reduce((sum, { places }) => sum + places, 0),
      placed: all.reduce((sum, { bytes }) => sum + bytes, 0),
      called: all.length - 1,
    }
  }

  wait(call: Call): void {
    call.place = call.window.waiting.push(call)
    this.waiting++
  }

  /** False when it does not wait. */
  stopWaiting({ place, window }: Call): boolean {
    if (place === undefined || !window.waiting.remove(place)) return false
    this.waiting--
    return true
  }

  /** Takes out the next that may be sent. */
  next(window: CallWindow<Call>, credit: boolean): Call | undefined {
    const call = window.hasRoom(credit) ? window.waiting.shift() : undefined
    if (call) this.waiting--
    return call
  }

  /** Forgets the one for this reference when nothing is under way. */
  close(to: number): void {
    if (to !== 0 && this.#byRef.get(to)?.idle) this.#byRef.delete(to)
  }

  /** Takes out all that wait. */
  drain(): Call[] {
    this.waiting = 0
    const calls = this.all().flatMap(({ waiting }) => waiting.drain())
    this.#byRef.clear()
    return calls
  }

  #open(to: number): CallWindow<Call> {
    const window = new CallWindow<Call>(undefined)
    this.#byRef.set(to, window)
    return window
  }
}
