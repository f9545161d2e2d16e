import { Buffer } from 'node:buffer'
import { stringify, Tagged } from '../edn/index.ts'
import { describe } from '../edn/describe.ts'
import { encodeLine } from '../edn/encode.ts'
import { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import type { FaultMap } from '../edn/fault.ts'
import { encodeFault } from './fault-text.ts'
import { graceOf, headedBy, idOf, idsOf, items, mapOf, pairsOf } from './frame-items.ts'
import type { Head } from './head.ts'
import { CONTROL_FRAME_BYTES } from './limits.ts'
import { delayMs } from './timers.ts'

/**
 * The vocabulary of the wire. Every line is one frame; a line with no `#wat/` tag is a plain message.
 * Each comment is the frame's sentence in docs/protocol.md.
 */
export const tags = {
  /** `#wat/req [id body]` from the caller: a request; `id` is positive and unique among the open ones. */
  request: 'wat/req',
  /** `#wat/rep [id body]` from the callee: its reply; replies may come in any order. */
  reply: 'wat/rep',
  /** `#wat/err [id fault]` from the callee: the request failed. */
  error: 'wat/err',
  /** `#wat/call [id head body]` from the caller, protocol 2: a request with a head: `{:to :refs :timeout-ms :meta}`. */
  call: 'wat/call',
  /** `#wat/ret [id head body]` from the callee, protocol 2: a reply whose body holds references: `{:refs}`. */
  return: 'wat/ret',
  /** `#wat/lines {}` from either side, protocol 2: from here on each form has a line to itself. */
  lines: 'wat/lines',
  /** `#wat/release [id count …]` from the holder, protocol 2: these references, seen so often, are held no more. */
  release: 'wat/release',
  /** `#wat/unused [id count …]` from the holder, protocol 2: the same, of what it has lost. */
  unused: 'wat/unused',
  /** `#wat/gone [id fault]` from the maker, protocol 2: this reference works no more. */
  gone: 'wat/gone',
  /** `#wat/given [id head body]` from the parent, once, before the program runs: what the program finds in `self.given`. */
  given: 'wat/given',
  /** `#wat/cancel [id]` from the caller: the reply is no longer wanted. */
  cancel: 'wat/cancel',
  /** `#wat/begun [id …]` from the callee, protocol 2: the handlers of these requests have begun; others may be sent. */
  begun: 'wat/begun',
  /** `#wat/taken [n]` from the reader of plain values, protocol 2: it has taken the first n of them. */
  taken: 'wat/taken',
  /** `#wat/hello {:protocol n}` from the parent: from here on both speak version n. */
  hello: 'wat/hello',
  /** `#wat/ready {…}` from a spawned child, its first frame: the program is loaded. */
  ready: 'wat/ready',
  /** `#wat/stop {:grace-ms n}` from the parent: stop gracefully within n ms. */
  stop: 'wat/stop',
  /** `#wat/run {…}` from the parent to a spare: the program it runs from now on. */
  run: 'wat/run',
  /** `#wat/exit {…}` from the server to a connection, its last frame: how what it served has ended. */
  exit: 'wat/exit',
  /** `#wat/end {}` from the client of a connection: no more input; the connection stays until the other side ends it. */
  end: 'wat/end',
} as const

/** Whether a frame with this tag asks, or answers: somebody waits for what becomes of it. */
export const isRequest = (tag: string): boolean => tag === tags.request || tag === tags.call
export const isAnswer = (tag: string): boolean =>
  tag === tags.reply || tag === tags.return || tag === tags.error

/** What came in: a plain message, or one of the frames above. */
export type Frame =
  | { kind: 'value'; value: unknown }
  | { kind: 'request'; id: number; body: unknown; options: unknown }
  | { kind: 'reply'; id: number; body: unknown }
  | { kind: 'call'; id: number; head: Head; map: unknown; body: unknown }
  | { kind: 'return'; id: number; map: unknown; body: unknown }
  | { kind: 'given'; map: unknown; body: unknown }
  | { kind: 'release'; pairs: number[] }
  | { kind: 'unused'; pairs: number[] }
  | { kind: 'gone'; id: number; fault: unknown }
  | { kind: 'error'; id: number; fault: unknown }
  | { kind: 'cancel'; id: number }
  | { kind: 'begun'; ids: number[] }
  | { kind: 'taken'; count: number }
  | { kind: 'hello'; info: Record<string, unknown> }
  | { kind: 'ready'; info: Record<string, unknown> }
  | { kind: 'stop'; graceMs: number }
  | { kind: 'run'; info: Record<string, unknown> }
  | { kind: 'exit'; info: Record<string, unknown> }
  | { kind: 'end' }
  | { kind: 'lines' }

/** Tells what a form on the wire is. Throws `malformed` for a `#wat/` form that is no frame. */
export function toFrame(form: unknown): Frame {
  if (!(form instanceof Tagged) || !form.tag.startsWith('wat/')) return { kind: 'value', value: form }
  const { tag, value } = form
  switch (tag) {
    case tags.request:
      return { kind: 'request', id: idOf(form, 2, 3), body: items(value)[1], options: items(value)[2] }
    case tags.reply:
      return { kind: 'reply', id: idOf(form, 2, 2), body: items(value)[1] }
    case tags.call: {
      const id = idOf(form, 3, 3)
      return { kind: 'call', id, head: headedBy(form, id), map: items(value)[1], body: items(value)[2] }
    }
    case tags.return: {
      const id = idOf(form, 3, 3)
      headedBy(form, id)
      return { kind: 'return', id, map: items(value)[1], body: items(value)[2] }
    }
    case tags.given: {
      headedBy(form, idOf(form, 3, 3))
      return { kind: 'given', map: items(value)[1], body: items(value)[2] }
    }
    case tags.release:
      return { kind: 'release', pairs: pairsOf(form) }
    case tags.unused:
      return { kind: 'unused', pairs: pairsOf(form) }
    case tags.gone:
      return { kind: 'gone', id: idOf(form, 2, 2), fault: items(value)[1] }
    case tags.error:
      return { kind: 'error', id: idOf(form, 2, 2), fault: items(value)[1] }
    case tags.cancel:
      return { kind: 'cancel', id: idOf(form, 1, 1) }
    case tags.begun:
      return { kind: 'begun', ids: idsOf(form) }
    case tags.taken:
      return { kind: 'taken', count: idOf(form, 1, 1) }
    case tags.hello:
      return { kind: 'hello', info: mapOf(form) }
    case tags.ready:
      return { kind: 'ready', info: mapOf(form) }
    case tags.end:
      return { kind: 'end' }
    case tags.lines:
      return { kind: 'lines' }
    case tags.exit:
      return { kind: 'exit', info: mapOf(form) }
    case tags.run:
      return { kind: 'run', info: mapOf(form) }
    case tags.stop:
      return { kind: 'stop', graceMs: graceOf(form) }
    default:
      throw new WatError('malformed', `#${describe(tag)} is not a frame of this protocol`, {
        data: { tag: describe(tag) },
      })
  }
}

/** Writes one line behind what is there: a frame with an id, or a plain message, which needs none. */
export type LineWriter = (out: Out, id: number, body: unknown) => void

/** A plain message. Rejects what could be taken for a frame: the namespace `wat` is reserved. */
export const writeValue: LineWriter = (out, _id, value) =>
  encodeLine(out, NOTHING, undefined, value, LINE_FEED)

const NOTHING = Buffer.alloc(0)
const LINE_FEED = Buffer.from('\n')

/** One over `maxFrame` tells less: whoever waits for it takes no more. */
export function errorFrame(id: number, fault: FaultMap, maxFrame: number): string {
  return within(maxFrame, fault, some => `#wat/err [${id} ${encodeFault(some)}]\n`)
}

export function cancelFrame(id: number): string {
  return `#wat/cancel [${id}]\n`
}

/** Numbers of references, each with how often it has come. */
export function releaseFrame(pairs: number[]): string {
  return `#wat/release [${pairs.join(' ')}]\n`
}

export function unusedFrame(pairs: number[]): string {
  return `#wat/unused [${pairs.join(' ')}]\n`
}

export function goneFrame(id: number, fault: FaultMap, maxFrame: number): string {
  return within(maxFrame, fault, some => `#wat/gone [${id} ${encodeFault(some)}]\n`)
}

export function begunFrame(ids: number[]): string {
  return `#wat/begun [${ids.join(' ')}]\n`
}

export function takenFrame(count: number): string {
  return `#wat/taken [${count}]\n`
}

/** `most`: the latest version that could be spoken instead. */
export function readyFrame(address: string, pid: number, protocol: number, most?: number): string {
  return `#wat/ready ${stringify({ protocol, most, pid, address })}\n`
}

export function helloFrame(protocol: number): string {
  return `#wat/hello ${stringify({ protocol })}\n`
}

export function runFrame(assignment: object): string {
  return `#wat/run ${stringify({ ...assignment })}\n`
}

interface ExitFacts {
  code?: number | undefined
  signal?: string | undefined
  panic?: FaultMap | undefined
}

export function exitFrame({ code, signal, panic }: ExitFacts, maxFrame: number): string {
  return within(maxFrame, panic, some => `#wat/exit ${encodeFault({ code, signal, panic: some })}\n`)
}

/** A frame with all of a fault, or with what is short of it. */
function within<F extends FaultMap | undefined>(
  maxFrame: number,
  fault: F,
  frame: (fault: F | FaultMap) => string,
): string {
  const line = frame(fault)
  if (!fault || Buffer.byteLength(line) - 1 <= Math.max(maxFrame, CONTROL_FRAME_BYTES)) return line
  const { type, message, address } = fault
  return frame({ type, message: describe(message), address: describe(address) })
}

export function linesFrame(): string {
  return '#wat/lines {}\n'
}

export function endFrame(): string {
  return '#wat/end {}\n'
}

export function stopFrame(graceMs: number): string {
  return `#wat/stop {:grace-ms ${Math.round(delayMs(graceMs))}}\n`
}

/** What `write` makes of a value. */
export function lineOf(write: LineWriter, value: unknown): Uint8Array {
  const out = spare.busy ? new Out() : spare
  try {
    write(out, 0, value)
    return out.take()
  } finally {
    out.clear()
  }
}

const spare = new Out()
