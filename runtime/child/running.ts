import type { SignalName } from '../ambient.ts'
import { WatError } from '../error.ts'
import { fromFault, type Exit } from '../edn/fault.ts'
import { endOf } from '../wire/checks.ts'
import type { Sink, Source } from '../io/pipe.ts'
import type { Settings } from './options.ts'

/** How something that ran has ended; absent is `undefined`. */
export interface Ended {
  code: number | undefined
  signal: string | undefined
  /** Why, where the tier knows more than it could say on its stderr itself. */
  panic?: WatError
}

/** The three facts of an end, apart; its own last words go before what the tier knows. */
export function exitOf({ code, signal, panic }: Ended, lastWords: WatError | undefined): Exit {
  const exit: Exit = {}
  if (code !== undefined) exit.code = code
  if (signal !== undefined) exit.signal = signal
  const why = lastWords ?? panic
  if (why) exit.panic = why
  return exit
}

/** The end of what could not be started: with an exit code, where the reason has one. */
export function unstarted(panic: WatError): Exit {
  const { exit } = (panic.data ?? {}) as { exit?: Exit }
  return { ...(exit?.code !== undefined && { code: exit.code }), panic }
}

/** Whether that is the end of something that had done all it had to. */
export function inOrder({ code, panic }: Exit): boolean {
  return code === 0 && panic === undefined
}

/** What `#wat/exit` tells. Throws `malformed` when it makes no sense. */
export function endedFrom(info: Record<string, unknown>, address: string): Ended {
  const panic = info.panic ?? undefined
  return { ...endOf(info), ...(panic !== undefined && { panic: fromFault(panic, address) }) }
}

/** What comes out of a process and is read to its end. */
export interface Flow {
  /** Whether everything that has come was delivered. */
  readonly drained: boolean
  /** Whether it waits for whoever takes what comes out, and not for what comes. */
  readonly blocked?: boolean
  /** Bytes that have come so far. */
  readonly received: number
}

/** Something started that speaks the wire, whatever tier it is on. All that differs between tiers is here. */
export interface Running {
  /** The process that it is, or in which it runs. */
  readonly pid: number | undefined
  /** What goes to its stdin before anything else. */
  readonly greeting?: string | undefined
  readonly stdin: Sink
  readonly stdout: Source
  readonly stderr: Source
  /** Settles when it runs, where that is later than its start. */
  readonly launched?: Promise<void>
  /** Never rejects. */
  readonly exited: Promise<Ended>
  readonly hasExited: boolean
  /** Resolves when what it wrote before its exit has been read. */
  drained(flows: Flow[]): Promise<void>
  /** Signals it; false when it is gone. */
  signal(name: SignalName): boolean
  /** Signals it and what it has started beside it; false when it is gone. */
  signalGroup(name: SignalName): boolean
  /** Kills it and everything below it; resolves when the kill is sent. */
  kill(): Promise<void>
  /** It has told itself how it ended, as one at the other end of a connection does; gives true. */
  onExit?(ended: Ended): true
  /** Whether waiting for it keeps the event loop alive. */
  setRef(on: boolean): void
}

/** Why something could not be started: also what that needs may fail to load, for want of a descriptor. */
export function startError(error: unknown, address: string): WatError {
  if (error instanceof WatError) return error
  return new WatError('offline', `cannot start: ${(error as Error).message}`, { address, cause: error })
}

/**
 * Starts something with these settings, under this name and address. Gives an error instead where what was asked
 * for makes no sense: nothing is gone then, and everything rejects with that error itself.
 */
export type Starter = (settings: Settings, name: string, address: string) => Promise<Running | WatError>
