import { encode } from './encode.ts'
import { layout } from './layout.ts'

/** How `stringify` writes. */
export interface StringifyOptions {
  /** For people: on several lines, about 80 wide. */
  pretty?: boolean | undefined
}

/** The value as EDN, on one line. Throws a `WatError`, `encode`, whose `data.path` names what EDN cannot carry. */
export function stringify(value: unknown, options?: StringifyOptions): string {
  return options?.pretty === true
    ? layout(value, { denyReserved: false, path: [] }, true)
    : encode(value, false)
}
