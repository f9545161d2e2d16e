import type { Receiver } from './receiver.ts'
import type { Unread } from './unread.ts'

/** What arrives of what was sent: the items of an iterable come by a `Receiver`, and what is unread as what it is. */
export type Arrived<T> =
  T extends Unread<infer Value>
    ? Value
    : T extends Receiver<infer Item>
      ? Receiver<Item>
      : T extends AsyncIterable<infer Item>
        ? Receiver<Item>
        : T
