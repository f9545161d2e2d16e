/** What message number `index` of a seed says, so that every reader knows it without being told. */
export interface Pattern {
  seed: number
  /** Lengths are from 0 up to this, unless `fixed`. */
  most: number
  fixed?: boolean
}

export function lengthOf({ seed, most, fixed }: Pattern, index: number): number {
  return fixed ? most : mix(index, seed) % (most + 1)
}

/** Writes it into `into`, and gives the part that it is. */
export function fill(pattern: Pattern, index: number, into: Uint8Array): Uint8Array {
  const length = lengthOf(pattern, index)
  let byte = mix(index, ~pattern.seed)
  for (let i = 0; i < length; i++, byte = (byte + 101) | 0) into[i] = byte
  return length === into.length ? into : into.subarray(0, length)
}

/** Whether the first `length` bytes are message number `index`, to the last byte. */
export function matches(pattern: Pattern, index: number, bytes: Uint8Array, length: number): boolean {
  if (length !== lengthOf(pattern, index)) return false
  let byte = mix(index, ~pattern.seed)
  for (let i = 0; i < length; i++, byte = (byte + 101) | 0) if (bytes[i] !== (byte & 255)) return false
  return true
}

/** A pseudo-random number of 31 bits for each pair. */
export function mix(index: number, seed: number): number {
  let x = Math.imul(index ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 1
}
