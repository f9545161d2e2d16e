import { encode } from './encode.ts'
import { layout } from './layout.ts'
import { refuse, rootContext } from './refuse.ts'

/** How `stringify` writes. */
export interface StringifyOptions {
  /** For people: on several lines, about 80 wide. */
  pretty?: boolean | undefined
}

/**
 * The value as EDN, on one line. Throws a `WatError`, `encode`, whose `data.path` names what EDN cannot carry.
 * `undefined` is nothing, not nil, unless it stands inside.
 */
export function stringify(value: unknown, options?: StringifyOptions): string {
  if (value === undefined) refuse(rootContext(false), 'undefined')
  return options?.pretty === true ? layout(value, rootContext(false), true) : encode(value, false)
}
