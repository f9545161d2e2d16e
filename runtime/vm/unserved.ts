/** A request frame that has come. */
export interface Asked {
  id: number
  body: unknown
}

/** Requests that wait for the program to serve. */
export class Unserved {
  /** What they hold, about. */
  bytes = 0
  #requests: Asked[] = []

  push(id: number, body: unknown, bytes: number): void {
    this.#requests.push({ id, body })
    this.bytes += bytes
  }

  /** The caller no longer wants the reply. */
  cancel(id: number): void {
    this.#requests = this.#requests.filter(request => request.id !== id)
  }

  /** All of them, in the order in which they came; none are left. */
  drain(): Asked[] {
    const requests = this.#requests
    this.#requests = []
    this.bytes = 0
    return requests
  }
}
