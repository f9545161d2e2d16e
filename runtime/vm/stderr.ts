import { recordLine } from '../wire/frames.ts'
import { Outbox } from '../wire/outbox.ts'
import { kindOf, ownDescription } from './fd.ts'
import { fdSink } from './fd-sink.ts'
import { identity } from './identity.ts'
import type { Sink } from '../wire/pipe.ts'

const STDERR = 2

/** What a reader of stderr who does not read may leave with us; beyond it children wait to be relayed. */
const HELD_CHARS = 4 * 1024 * 1024

let outbox: Outbox | undefined
let inText = false // the last line has no end yet: a record must begin one of its own
const waiting = new Set<() => void>()
let given: Sink | undefined
let present = (line: string) => line

/** Writes one record of our own to stderr: `#wat/log`, `#wat/fault` or `#wat/panic`. */
export function writeRecord(kind: 'log' | 'fault' | 'panic', body: Record<string, unknown>): void {
  relayLine(recordLine(kind, body))
}

/** Writes a line that already is a record, such as one of a child. False: wait for `onStderrDrain`. */
export function relayLine(line: string): boolean {
  const box = open()
  box.push(inText ? `\n${present(line)}` : present(line))
  inText = false
  box.flush()
  return box.queued < HELD_CHARS
}

/** Writes console output. It waits for its turn, so it never stands inside a record. */
export function writeText(text: string): void {
  if (text === '') return
  const box = open()
  box.push(text)
  inText = !text.endsWith('\n')
  box.flush()
  if (box.queued >= HELD_CHARS) box.flushSync() // as Node's own console waits for its pipe
}

/** Calls back whenever stderr has room again, until the function it gives is called. */
export function onStderrDrain(callback: () => void): () => void {
  waiting.add(callback)
  return () => waiting.delete(callback)
}

/** From now on stderr is this, instead of descriptor 2. */
export function stderrTo(other: Sink): void {
  given = other
}

/** Shows records to a person instead of a program. */
export function presentWith(format: (line: string) => string): void {
  present = format
}

/** Bytes that nobody has taken yet. */
export function stderrQueued(): number {
  return outbox?.queued ?? 0
}

/** Writes what is pending, blocking; for last words. */
export function flushStderr(): void {
  outbox?.flushSync()
}

function open(): Outbox {
  if (outbox) return outbox
  const created = new Outbox(
    () => waiting.forEach(callback => callback()),
    error => created.abort(error), // nobody reads our stderr, and there is no other place to say so
  )
  created.attach(given ?? sink())
  outbox = created
  return created
}

/**
 * A parent always drains the stderr of its children, so a child may block on it and share the
 * descriptor with console output. A root does not know its reader: it must never block on one who
 * does not read, while its children still wait for their requests.
 */
function sink(): Sink {
  const kind = kindOf(STDERR)
  if (identity.role !== 'root') return fdSink(STDERR, kind === 'closed' ? 'closed' : 'file')
  return fdSink(ownDescription(STDERR, kind, 'write'), kind)
}
