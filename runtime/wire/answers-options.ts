import type { WatError } from '../error.ts'
import type { Text } from './passed.ts'

/** What answers need of the link that they go back on. */
export interface AnswersOptions {
  readonly maxFrame: number
  /** Writes a reply; throws what its body is refused with. */
  reply(id: number, body: unknown): void
  /** The same with the text that it is. */
  replyLine?(id: number, text: Text): void
  fail(id: number, error: unknown): void
  /** Answers a request that is not handled, as soon as there is room, with `refusal` or an error of its own. */
  readonly refuse: (id: number, error?: WatError) => void
  /** The line that answers a plain value; throws what its body is refused with. */
  plainLine(body: unknown): Uint8Array
  /** Writes such a line. */
  readonly push: (line: Uint8Array) => void
  /** The same, for one of many: resolves when the pipe has taken it, with false when it never will. */
  print(line: Uint8Array): Promise<boolean>
  /** Whether replies, and answers to plain values, may be written: what causes more of them waits until then. */
  room(): boolean
  plainRoom(): boolean
  /** The handler of a plain value has failed: nobody else is told. */
  onPlainFailed(error: unknown): void
  /** A handler has failed that had answered already. */
  onFailedLate(error: unknown): void
  /** The handlers of these requests have begun, and they are still open. */
  readonly onBegun: (ids: number[]) => void
  /** A plain value has been taken: its handler has begun, or it is dropped. */
  readonly onTaken: (bytes: number) => void
  /** Whether the caller has something of this process that is work in flight, as an open stream is. */
  working(): boolean
  /** There is room for another request. */
  readonly onRoom: () => void
}
