import type { WatError } from '../error.ts'

/** What else a port tells of what comes in and goes out. */
export interface PortEvents {
  /** The parent gives this process, a spare, its program. */
  onRun(info: Record<string, unknown>): void
  /** The parent wants this process to stop. */
  onStop(graceMs: number): void
  /** The input held something malformed or too large. */
  onFault(error: WatError): void
  /** The program waits for input. */
  onWaiting?(): void
  /** Whoever reads our output is gone, or it cannot be written. `silently`: no sender will be told of a loss. */
  onBroken(error: WatError, silently: boolean): void
}
