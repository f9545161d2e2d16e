/**
 * Who waits for the abort of which signal. Each signal has one listener of ours, however many calls it governs:
 * Node looks through all listeners of a signal for each that is added or taken away.
 */
const waiting = new WeakMap<AbortSignal, Callbacks>()

/** Calls back once, when the signal aborts; until then what it gives takes that back. The last one goes first. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? new Callbacks(signal)
  callbacks.add(callback)
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) callbacks.unlisten()
  }
}

class Callbacks extends Set<() => void> {
  readonly #signal: AbortSignal
  readonly #tell = () => {
    // Those that wait for a place came last, and must not get the place of one that goes with them.
    const all = [...this].reverse()
    this.clear()
    for (const callback of all) callback()
  }

  constructor(signal: AbortSignal) {
    super()
    this.#signal = signal
    waiting.set(signal, this)
    signal.addEventListener('abort', this.#tell, { once: true })
  }

  unlisten(): void {
    waiting.delete(this.#signal)
    this.#signal.removeEventListener('abort', this.#tell)
  }
}
