import type { Keyword } from './keyword.ts'
import type { Char, Decimal, Double, Ratio, Sym, Tagged, Uuid } from './values.ts'

/** What EDN can carry, without the classes of registered tags. */
export type EdnValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | Keyword
  | Sym
  | Char
  | Ratio
  | Decimal
  | Double
  | Uuid
  | Date
  | Uint8Array
  | Tagged<EdnValue>
  | readonly EdnValue[]
  | ReadonlyMap<EdnValue, EdnValue>
  | ReadonlySet<EdnValue>
  | { readonly [field: string]: EdnValue | undefined }
