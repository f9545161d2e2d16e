import type { GlobalSignal } from '../ambient.ts'
import { channelOf } from './channels.ts'
import { identity } from './identity.ts'
import { onStop, stopSignal } from './lifecycle.ts'
import { status } from './status.ts'

/** This process, as its program sees it. */
export const self = {
  /** Its place in the tree: `/` for a root, `/double` for a child of it. */
  get address(): string {
    return identity.address
  },
  /** What its parent calls it; in a root the file name of the program without its extension. */
  get name(): string {
    return identity.name
  },
  /** The arguments behind the program's name. */
  get args(): readonly string[] {
    return identity.args
  },
  /** What whoever started this process has given it, by name: values and references. Empty in a root. */
  get given(): Record<string, any> {
    return identity.given
  },
  /** Aborts when this process is asked to stop, or ends. */
  get signal(): GlobalSignal {
    status.watchesStop = true
    return stopSignal
  },
  /**
   * Runs `hook` during a graceful end, after the children have stopped; the last one given runs first.
   * It may be asynchronous, within the grace. A sudden death runs no hooks.
   */
  onStop,
  /**
   * A channel in shared memory that the one who started this thread has given it under this name. Throws
   * `denied` when there is none.
   */
  channel: channelOf,
}
