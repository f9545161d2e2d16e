/** Up to here a loop is faster than a call into V8: for each way of its own. */
const SHORT_IN_BYTES = 12
const SHORT_OUT_BYTES = 48
const SHORT_COPY_BYTES = 24

/** Copies a message into the ring. */
export function copyIn(source: Uint8Array, ring: Uint8Array, at: number): void {
  const { length } = source
  if (length > SHORT_IN_BYTES) ring.set(source, at)
  else for (let i = 0; i < length; i++) ring[at + i] = source[i] as number
}

/** Copies a message out of the ring to the beginning of `target`. */
export function copyOut(ring: Uint8Array, at: number, length: number, target: Uint8Array): void {
  if (length > SHORT_OUT_BYTES) target.set(ring.subarray(at, at + length))
  else for (let i = 0; i < length; i++) target[i] = ring[at + i] as number
}

/** A message of its own. The slice of a view of shared memory is not shared. */
export function copyOf(ring: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (length > SHORT_COPY_BYTES) return ring.slice(at, at + length)
  const copy = new Uint8Array(length)
  copyOut(ring, at, length, copy)
  return copy
}
