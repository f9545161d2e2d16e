import type { SignalName } from '../ambient.ts'

/** What the life of a process needs of one that it has started, whatever tier that is on. */
export interface Child {
  /** Stops it and everything below it, within `graceMs`; resolves when it is gone. Never rejects. */
  stopWithin(graceMs: number): Promise<void>
  /** Kills it and everything below it at once; resolves when the kill is sent. Never rejects. */
  killTree(): Promise<void>
  /**
   * Bytes for its stdin that it has not taken, and what keeps the event loop alive on their account; nothing where
   * something else of it is waited for.
   */
  untaken?(): { readonly bytes: number; readonly waits: number } | undefined
  /** Sends it a signal, if it runs. */
  signal(name: SignalName): void
  /** Kills its process group, for the moment in which nothing can be awaited any more. */
  killGroup(): void
}

/** The live children, in the order in which they were started. */
export const children = new Set<Child>()
