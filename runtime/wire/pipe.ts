/**
 * The two ends every tier gives the wire: bytes in, text out. A tier is a pair of these.
 */

/** Where bytes come from. */
export interface Source {
  /**
   * Starts paused. `onBytes` may keep nothing of the chunk after it returns: the buffer is reused.
   * `onEnd` comes once, after the last chunk, also when the pipe broke.
   */
  open(onBytes: (chunk: Uint8Array) => void, onEnd: () => void): void
  pause(): void
  resume(): void
  /** Whether waiting for this source keeps the event loop alive. */
  setRef(on: boolean): void
  close(): void
}

/** Where text goes. */
export interface Sink {
  /**
   * Takes the whole text; `done` comes when the operating system has taken all of it, or with the
   * error that says it never will. Never called again before `done`.
   */
  write(text: string, done: (error?: Error) => void): void
  /** Hands over what `write` still holds and then `text`, blocking; for the last moments of a process. */
  writeSync(text: string): void
  end(done: () => void): void
  close(): void
}
