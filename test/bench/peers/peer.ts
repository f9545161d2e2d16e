import type { Size } from '../work.ts'

/** A child that answers every request with itself. */
export interface Echo {
  /** Does `count` request/replies with bodies of one size, `inFlight` at a time. */
  exchange(size: Size, count: number, inFlight: number): Promise<void>
  close(): Promise<unknown>
}

export interface Peer {
  name: string
  /** Starts the child and resolves when it has answered, properly, once. */
  open(sizes: readonly Size[]): Promise<Echo>
}

export function program(name: string): URL {
  return new URL(`../programs/${name}`, import.meta.url)
}
