import type { Asked } from './unserved.ts'

/** One thing to be answered: a request frame, or a plain value sent to a serving program. */
export type Item = Asked | { id: undefined; body: unknown }

/** Whoever answers requests. */
export interface Server {
  /** Takes an item; called in the order in which they came. */
  onItem(item: Item): void
  onCancel(id: number): void
  /** No more items will come: end of input, or a stop. */
  onEnd(): void
  /** Whether the server has a place for another item. */
  wanted(): boolean
}
