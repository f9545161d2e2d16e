const TRY_MS = 1

/**
 * Lets `step` write, sleeping between tries, until it is done (it gives true) or no more than `leave` bytes are `held`.
 * False when nothing was taken for `patienceMs`: nobody reads.
 */
export function patiently(
  step: () => boolean,
  held: () => number,
  leave: number,
  patienceMs: number,
): boolean {
  let before = held()
  let since = performance.now()
  for (;;) {
    if (step()) return true
    const now = performance.now()
    const left = held()
    if (left <= leave) return true
    if (left < before) since = now
    else if (now - since >= patienceMs) return false
    before = left
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_MS)
  }
}
