import type { Receiver } from './receiver.ts'

/** What arrives of what was sent: the items of an iterable come by a `Receiver`. */
export type Arrived<T> =
  T extends Receiver<infer Item> ? Receiver<Item> : T extends AsyncIterable<infer Item> ? Receiver<Item> : T
