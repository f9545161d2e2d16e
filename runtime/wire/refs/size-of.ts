/** What a value takes, about, in bytes: enough to bound how many wait. Large ones are looked at in part. */
export function sizeOf(value: unknown): number {
  return measure(value, { left: MOST_LOOKED_AT })
}

const MOST_LOOKED_AT = 256
const PLAIN_BYTES = 8

function measure(value: unknown, budget: { left: number }): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return PLAIN_BYTES
  if (ArrayBuffer.isView(value)) return value.byteLength
  const items: unknown[] = Array.isArray(value) ? value : contents(value)
  let bytes = PLAIN_BYTES
  for (let at = 0; at < items.length; at++) {
    // What is left is taken to be like what has been seen.
    if (budget.left-- <= 0) return at === 0 ? bytes : bytes + ((items.length - at) * bytes) / at
    bytes += measure(items[at], budget)
  }
  return bytes
}

function contents(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat()
  return value instanceof Set ? [...value] : Object.entries(value).flat()
}
