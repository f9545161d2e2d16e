import { describe } from '../edn/describe.ts'

/** Whoever wrote an inspector chose how much it tells. */
const MOST_CHARS = 10_000

/**
 * A value that EDN cannot carry, as text: as Node shows it, unless code of the value's own fails in that. Never
 * throws.
 */
export function inspected(value: unknown): string {
  try {
    const text = process.getBuiltinModule('node:util').inspect(value)
    return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text
  } catch {
    return describe(value)
  }
}
