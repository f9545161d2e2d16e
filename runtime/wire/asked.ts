/** What must not be let go before a call has settled. */
export interface Held {
  hold(): void
  letGo(): void
}

/** What is written of a call. */
export interface Asked {
  body: unknown
  /** The reference that it is for; 0: whatever serves at the other end. */
  readonly to: number
  /** When it is given up, in milliseconds since the epoch. */
  readonly due: number | undefined
  readonly meta: Readonly<Record<string, unknown>> | undefined
}
