/** One connection that is served. */
export interface Session {
  /** Resolves when it has ended. Never rejects. */
  done: Promise<void>
  /** Lets it end within `graceMs`. */
  stop(graceMs: number): void
  /** Ends it at once. */
  kill(): void
}
