import { Waiting } from './waiting.ts'

/** A request frame that has come. */
export interface Asked {
  id: number
  body: unknown
}

/** Requests that wait for the program to serve. */
export class Unserved {
  /** What they hold, about. */
  bytes = 0
  readonly #requests = new Waiting<Asked & { bytes: number }>()

  push(id: number, body: unknown, bytes: number): void {
    this.#requests.push({ id, body, bytes })
    this.bytes += bytes
  }

  /** The caller no longer wants the reply. */
  cancel(id: number): void {
    this.bytes -= this.#requests.remove(id)?.bytes ?? 0
  }

  /** All of them, in the order in which they came; none are left. */
  drain(): Asked[] {
    this.bytes = 0
    return this.#requests.drain()
  }
}
