/**
 * The two ends every tier gives the wire: bytes in, bytes out. A tier is a pair of these.
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

/** Where bytes go. */
export interface Sink {
  /**
   * Takes all of the chunks; `done` comes when the operating system has taken all of them, or with the
   * error that says it never will. Never called again before `done`. The memory of the last chunk is the
   * caller's again when this returns, or `done` is called: what is not written by then must be copied.
   */
  write(chunks: Uint8Array[], done: (error?: Error) => void): void
  /** A good moment to go on with a write for which there was no room before. */
  retry?(): void
  /** Bytes of the write under way that have not been taken. */
  readonly held?: number
  /**
   * Goes on with `write`, blocking, until it is done or holds no more than `leave` bytes; false when nobody has taken
   * anything for `patienceMs`. The event loop turns again afterwards.
   */
  relieve?(leave: number, patienceMs: number): boolean
  /**
   * Hands over what `write` still holds and then the chunks, blocking; for the last moments of a process. May give
   * the error of what cannot be written.
   */
  writeSync(chunks: Uint8Array[]): Error | void
  end(done: () => void): void
  close(): void
}
