const MAX_DESCRIBED_UNITS = 1000

/** A text for people of any value, of bounded length. It never throws, whatever the value does when it is asked. */
export function describe(value: unknown): string {
  let text: string
  try {
    text = spell(value)
  } catch {
    text = typeof value === 'object' ? 'an object that cannot be read' : `a ${typeof value}`
  }
  if (text.length <= MAX_DESCRIBED_UNITS) return text
  return `${text.slice(0, MAX_DESCRIBED_UNITS - 1)}…`
}

function spell(value: unknown): string {
  // The digits of a large one take longer than linear time.
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? `${value}` : 'a large bigint'
  if (typeof value === 'function') return `a function ${value.name}`.trimEnd()
  // What is inside may lead to itself, or many times to the same.
  if (Array.isArray(value)) return `an array of ${value.length}`
  return String(value)
}
