import { WatError } from '../error.ts'
import { MAX_DEPTH } from './depth.ts'

/** What goes for the whole of one writing. */
export interface Context {
  denyReserved: boolean
  /** How deep containers and tags may nest. */
  maxDepth: number
  /** The way from the root to what is being written. */
  path: (string | number)[]
}

/** A value on the wire stands inside a frame, and a fault's data inside of more. */
const MOST_FRAME_LEVELS = 8

/** The context at the root of a value: on the wire, where the tags of the namespace `wat` are denied, or alone. */
export function rootContext(denyReserved: boolean): Context {
  return { denyReserved, maxDepth: denyReserved ? MAX_DEPTH - MOST_FRAME_LEVELS : MAX_DEPTH, path: [] }
}

/** Throws `encode` for what is at the path. `advice`: what to do instead. */
export function refuse(context: Context, what: string, { cause, advice }: Refusal = {}): never {
  const path = pathText(context.path)
  const text = `EDN cannot carry ${what}, at ${path}${advice === undefined ? '' : `: ${advice}`}`
  throw new WatError('encode', text, { data: { path }, ...(cause !== undefined && { cause }) })
}

/** Throws `denied` for a tag that only we write. */
export function deny(context: Context, tag: string): never {
  const path = pathText(context.path)
  throw new WatError('denied', `the tag #${tag} is reserved, at ${path}`, { data: { path } })
}

interface Refusal {
  cause?: unknown
  advice?: string | undefined
}

// `$.a[3].b`. A deep path is cut in the middle, and a long step at its end: it is for people.
function pathText(path: (string | number)[]): string {
  const shown =
    path.length <= MAX_STEPS
      ? path.map(stepText)
      : [...path.slice(0, MAX_STEPS / 2).map(stepText), '…', ...path.slice(-MAX_STEPS / 2).map(stepText)]
  return '$' + shown.join('')
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  const text = step.length > MAX_STEP_UNITS ? step.slice(0, MAX_STEP_UNITS) + '…' : step
  return /^[\w$-]+$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`
}

const MAX_STEPS = 100
const MAX_STEP_UNITS = 100
