import { CALL_PLACES, CALL_WINDOW_BYTES } from './limits.ts'

/**
 * Requests whose handlers have begun, of which the caller has not been told. It has places for many, so it is told
 * of many at once; most are answered by then, which tells the same.
 */
export class Begun {
  #untold: { id: number; bytes: number }[] = []
  #bytes = 0
  readonly #isOpen: (id: number) => boolean
  readonly #tell: (ids: number[]) => void

  constructor(isOpen: (id: number) => boolean, tell: (ids: number[]) => void) {
    this.#isOpen = isOpen
    this.#tell = tell
  }

  add(id: number, bytes: number): void {
    this.#untold.push({ id, bytes })
    this.#bytes += bytes
    if (this.#untold.length < CALL_PLACES / 2 && this.#bytes < CALL_WINDOW_BYTES / 2) return
    this.#untold = this.#untold.filter(one => this.#isOpen(one.id))
    this.#bytes = this.#untold.reduce((sum, one) => sum + one.bytes, 0)
    if (this.#untold.length < CALL_PLACES / 4 && this.#bytes < CALL_WINDOW_BYTES / 4) return
    this.#tell(this.#untold.map(one => one.id))
    this.#untold = []
    this.#bytes = 0
  }
}
