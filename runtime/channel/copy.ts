/** Up to here a loop is faster than a call into V8. */
const SHORT_BYTES = 64

/** Copies a message into the ring. */
export function copyIn(source: Uint8Array, ring: Uint8Array, at: number): void {
  const { length } = source
  if (length > SHORT_BYTES) ring.set(source, at)
  else for (let i = 0; i < length; i++) ring[at + i] = source[i] as number
}

/** Copies a message out of the ring to the beginning of `target`. */
export function copyOut(ring: Uint8Array, at: number, length: number, target: Uint8Array): void {
  if (length > SHORT_BYTES) target.set(ring.subarray(at, at + length))
  else for (let i = 0; i < length; i++) target[i] = ring[at + i] as number
}

/** A message of its own. */
export function copyOf(ring: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length)
  copyOut(ring, at, length, copy)
  return copy
}
