import type { WatError } from '../error.ts'
import type { LineWriter } from './frames.ts'

/**
 * The control frames that the other side may send, and what becomes of them. One that is missing here has no
 * meaning from there: it is malformed. What takes one may say the same, by throwing.
 */
export interface Control {
  readonly ready?: (info: Record<string, unknown>) => void
  readonly hello?: (info: Record<string, unknown>) => void
  readonly stop?: (graceMs: number) => void
  /** What the program finds in `self.given`. */
  readonly given?: (body: unknown) => void
  readonly run?: (info: Record<string, unknown>) => void
  readonly exit?: (info: Record<string, unknown>) => void
  /** The end of input is told by a frame here, and the connection stays. */
  readonly end?: true
}

/** What a peer is told by whoever owns it. What may change after its start is a getter. */
export interface PeerOptions {
  /** The other end, for messages. */
  readonly other: { name: string; address: string }
  /** This process's address, for the faults that are written. */
  readonly address: string
  /** The largest form that either side takes, in bytes. */
  readonly maxFrame: number
  /** Calls that may be open at once. Without it those count whose handlers have not begun. */
  readonly maxInFlight?: number | undefined
  readonly control: Control
  /** Whether the other side knows references before it has said which version it speaks. */
  readonly knowsReferences?: boolean
  /**
   * The end of what is sent is told by a frame, so that what comes can be answered even so: to whom it is known that
   * the other side understands it, or always. Without it the pipe ends.
   */
  readonly endsByFrame?: 'always' | 'when known'
  /** How plain values are written and how large they may be, where not like everything else. */
  readonly plain?: { write: LineWriter; maxFrame: number }
  /** The same error with the other side's name on it, for a call that it answers so. */
  readonly blame?: (error: WatError) => WatError
  /** Something came that is not EDN, not a frame, too large, or means nothing from there. */
  onFault(error: WatError): void
  /** The handler of a plain value has failed. */
  onPlainFailed?(error: unknown): void
  /** A handler has failed that had answered already. Without it that is told where all errors are that nobody waits for. */
  readonly onFailedLate?: (error: unknown) => void
  /**
   * Nothing more can be written: `outbox.abort` says what to tell those who wait. `silently`: a loss that none of
   * them awaits.
   */
  onBroken(error: WatError, silently: boolean): void
  /** The input has ended. Where this is given, it also ends the values that come, as it knows best. */
  readonly onEnd?: () => void
  /** Somebody here reads plain values. */
  readonly onRead?: () => void
  /** Whether somebody waits for the other side may have changed: see `waitedFor`. */
  readonly onSettle?: () => void
  /** A chunk has been worked off. */
  readonly onIdle?: () => void
  /** Whether the other side is ending, and everything it writes is to be read. */
  readonly hurried?: () => boolean
}
