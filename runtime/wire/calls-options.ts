import type { LineWriter } from './frames.ts'
import type { Outbox } from './outbox.ts'

/** What calls need of the link that they go by. */
export interface CallsOptions {
  outbox: Pick<Outbox, 'add' | 'overflow' | 'busy' | 'lineBytes'>
  /** Writes what is asked, and throws what it is refused with. */
  write: LineWriter
  /** Writes what is asked as the text that it is; `undefined` to a side that does not know what that takes. */
  writeLine?: () => LineWriter | undefined
  /** The body as the program gave it. */
  bodyOf?: (body: unknown) => unknown
  /** The callee is told that the reply is no longer wanted. */
  cancel(id: number): void
  /** Calls that may be open at once. Without it those count whose handlers have not begun. */
  maxInFlight: number | undefined
  maxFrame: () => number
  /** The callee, for error messages. */
  peer: () => { name: string; address: string }
  /** The number of open calls has gone from none to some or back. */
  onBusy(busy: boolean): void
}
