import { Buffer } from 'node:buffer'
import { stringify, Tagged } from '../edn/index.ts'
import { encode, encodeLine } from '../edn/encode.ts'
import { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import type { FaultMap } from '../edn/fault.ts'
import { PROTOCOL } from './limits.ts'

/**
 * The vocabulary of the wire. Every line is one frame; a line with no `#wat/` tag is a plain message.
 * Each comment is the frame's sentence in TIERS.md.
 */
export const tags = {
  /** `#wat/req [id body]` from the caller: a request; `id` is positive and unique among the open ones. */
  request: 'wat/req',
  /** `#wat/rep [id body]` from the callee: its reply; replies may come in any order. */
  reply: 'wat/rep',
  /** `#wat/err [id fault]` from the callee: the request failed. */
  error: 'wat/err',
  /** `#wat/cancel [id]` from the caller: the reply is no longer wanted. */
  cancel: 'wat/cancel',
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

/** What came in: a plain message, or one of the frames above. */
export type Frame =
  | { kind: 'value'; value: unknown }
  | { kind: 'request'; id: number; body: unknown; options: unknown }
  | { kind: 'reply'; id: number; body: unknown }
  | { kind: 'error'; id: number; fault: unknown }
  | { kind: 'cancel'; id: number }
  | { kind: 'ready'; info: Record<string, unknown> }
  | { kind: 'stop'; graceMs: number }
  | { kind: 'run'; info: Record<string, unknown> }
  | { kind: 'exit'; info: Record<string, unknown> }
  | { kind: 'end' }

/** Tells what a form on the wire is. Throws `malformed` for a `#wat/` form that is no frame. */
export function toFrame(form: unknown): Frame {
  if (!(form instanceof Tagged) || !form.tag.startsWith('wat/')) return { kind: 'value', value: form }
  const { tag, value } = form
  switch (tag) {
    case tags.request:
      return { kind: 'request', id: idOf(form, 2, 3), body: items(value)[1], options: items(value)[2] }
    case tags.reply:
      return { kind: 'reply', id: idOf(form, 2, 2), body: items(value)[1] }
    case tags.error:
      return { kind: 'error', id: idOf(form, 2, 2), fault: items(value)[1] }
    case tags.cancel:
      return { kind: 'cancel', id: idOf(form, 1, 1) }
    case tags.ready:
      return { kind: 'ready', info: mapOf(form) }
    case tags.end:
      return { kind: 'end' }
    case tags.exit:
      return { kind: 'exit', info: mapOf(form) }
    case tags.run:
      return { kind: 'run', info: mapOf(form) }
    case tags.stop:
      return { kind: 'stop', graceMs: graceOf(form) }
    default:
      throw new WatError('malformed', `#${tag} is not a frame of this protocol`, { data: { tag } })
  }
}

/** Writes one line behind what is there: a frame with an id, or a plain message, which needs none. */
export type LineWriter = (out: Out, id: number, body: unknown) => void

export const writeRequest: LineWriter = (out, id, body) => encodeLine(out, REQUEST, id, body, END)

export const writeReply: LineWriter = (out, id, body) => encodeLine(out, REPLY, id, body, END)

/** A plain message. Rejects what could be taken for a frame: the namespace `wat` is reserved. */
export const writeValue: LineWriter = (out, _id, value) =>
  encodeLine(out, NOTHING, undefined, value, LINE_FEED)

const REQUEST = Buffer.from(`#${tags.request} [`)
const REPLY = Buffer.from(`#${tags.reply} [`)
const END = Buffer.from(']\n')
const NOTHING = Buffer.alloc(0)
const LINE_FEED = Buffer.from('\n')

export function errorFrame(id: number, fault: FaultMap): string {
  return `#wat/err [${id} ${encodeFault(fault)}]\n`
}

export function cancelFrame(id: number): string {
  return `#wat/cancel [${id}]\n`
}

export function readyFrame(address: string, pid: number): string {
  return `#wat/ready ${stringify({ protocol: PROTOCOL, pid, address })}\n`
}

export function runFrame(assignment: object): string {
  return `#wat/run ${stringify({ ...assignment })}\n`
}

export function exitFrame({
  code,
  signal,
  panic,
}: {
  code?: number
  signal?: string
  panic?: FaultMap
}): string {
  return `#wat/exit ${encodeFault({ code, signal, panic })}\n`
}

export function endFrame(): string {
  return '#wat/end {}\n'
}

export function stopFrame(graceMs: number): string {
  return `#wat/stop {:grace-ms ${Math.max(0, Math.round(graceMs))}}\n`
}

/** What `write` makes of a value, as text. */
export function lineText(write: LineWriter, value: unknown): string {
  const out = spare.busy ? new Out() : spare
  try {
    write(out, 0, value)
    return out.takeText()
  } finally {
    out.clear()
  }
}

const spare = new Out()

/** A record of stderr: `log`, `fault`, `panic` or `raw`. */
export function recordLine(kind: 'log' | 'fault' | 'panic' | 'raw', body: unknown): string {
  return `#wat/${kind} ${kind === 'raw' ? stringify(body) : encodeFault(body as FaultMap)}\n`
}

/** A fault must get through whatever a program put into it: data that EDN cannot carry goes as text. */
function encodeFault(fault: FaultMap): string {
  try {
    return encode(fault)
  } catch {
    return stringify(withPlainData(fault))
  }
}

function withPlainData(fault: FaultMap): FaultMap {
  const plain: FaultMap = {}
  for (const [key, value] of Object.entries(fault)) {
    if (key === 'cause' || key === 'panic') plain[key] = withPlainData(value as FaultMap)
    else plain[key] = encodable(value) ? value : String(value)
  }
  return plain
}

/** Whether EDN can carry a value. */
export function encodable(value: unknown): boolean {
  try {
    encode(value)
    return true
  } catch {
    return false
  }
}

function items(value: unknown): unknown[] {
  return value as unknown[]
}

function idOf(form: Tagged, least: number, most: number): number {
  const list = form.value
  if (!Array.isArray(list) || list.length < least || list.length > most) {
    const length = least === most ? String(least) : `${least} or ${most}`
    throw new WatError('malformed', `#${form.tag} takes a vector of ${length}`, { data: headOf(form) })
  }
  const id: unknown = list[0]
  if (!isId(id)) throw new WatError('malformed', `#${form.tag} takes a positive integer as its id`)
  return id
}

/** What can be said of a frame that is not well formed: whoever waits for this id can be told. */
function headOf({ tag, value }: Tagged): { head?: { tag: string; id: number } } {
  const id: unknown = Array.isArray(value) ? value[0] : undefined
  return isId(id) ? { head: { tag, id } } : {}
}

function isId(id: unknown): id is number {
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0
}

function mapOf(form: Tagged): Record<string, unknown> {
  const { value } = form
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new WatError('malformed', `#${form.tag} takes a map with keyword keys`)
  }
  return value as Record<string, unknown>
}

function graceOf(form: Tagged): number {
  const graceMs = mapOf(form)['grace-ms']
  if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
    throw new WatError('malformed', '#wat/stop takes :grace-ms, a number of milliseconds')
  }
  return graceMs
}
