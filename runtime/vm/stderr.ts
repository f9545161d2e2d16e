import { kw } from '../edn/index.ts'
import { recordLine } from '../wire/fault-text.ts'
import { CHUNK_BYTES } from '../wire/limits.ts'
import { Outbox } from '../wire/outbox.ts'
import { kindOf, ownDescription } from '../io/fd.ts'
import { relievableSink } from '../io/fd-sink.ts'
import { identity } from './identity.ts'
import type { Sink } from '../io/pipe.ts'

const STDERR = 2

/** What a reader of stderr who does not read may leave with us; beyond it children wait to be relayed. */
const HELD_CHARS = 4 * 1024 * 1024

/**
 * What our own records may hold. Nothing asks whether they may come, so beyond it who writes one waits, as for
 * console output, while somebody reads, however slowly: nothing of what a program logs before it exits is lost.
 * Where nobody has read for a while, records are dropped and counted: a process must not stand still, nor
 * fill memory, because nobody looks at its stderr.
 */
const RECORDS_BYTES = 16 * 1024 * 1024
const PATIENCE_MS = 1000
/** To look whether somebody reads now costs more than to drop a record. */
const AGAIN_MS = 10

let outbox: Outbox | undefined
let inText = false // the last line has no end yet: a record must begin one of its own
const waiting = new Set<() => void>()
let given: Sink | undefined
let present = (line: string) => line
let dropped = 0
/** When nobody read although a record waited for room; `undefined` while somebody does. */
let unreadAt: number | undefined

/** Writes one record of our own to stderr: `#wat/log`, `#wat/fault` or `#wat/panic`. */
export function writeRecord(kind: 'log' | 'fault' | 'panic', body: Record<string, unknown>): void {
  if (kind !== 'panic' && !hasRoom(open())) {
    dropped++
    return
  }
  tellDropped()
  relayLine(recordLine(kind, body))
}

function hasRoom(box: Outbox): boolean {
  const before = box.queued
  if (before < RECORDS_BYTES) return true
  if (unreadAt !== undefined && performance.now() - unreadAt < AGAIN_MS) return false
  box.relieve(RECORDS_BYTES - CHUNK_BYTES, unreadAt === undefined ? PATIENCE_MS : 0)
  unreadAt = box.queued < before ? undefined : performance.now()
  return box.queued < RECORDS_BYTES
}

function tellDropped(): void {
  if (dropped === 0) return
  const { address } = identity
  const message = `${dropped.toLocaleString('en')} more records were dropped: nobody read stderr`
  const body = { level: kw('warn'), at: new Date(), address, pid: process.pid, message, data: { dropped } }
  dropped = 0
  relayLine(recordLine('log', body))
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
  tellDropped()
  outbox?.flushSync()
}

function open(): Outbox {
  if (outbox) return outbox
  const created = new Outbox(
    () => {
      tellDropped()
      waiting.forEach(callback => callback())
    },
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
  if (identity.role !== 'root') return relievableSink(STDERR, kind === 'closed' ? 'closed' : 'file')
  return relievableSink(ownDescription(STDERR, kind, 'write'), kind)
}
