/** What to do, for the message where it cannot stand. */
export const ADVICE: unique symbol = Symbol('advice')

/** The way out for what is not a reference, but can be given one. */
export const USE_REF = 'ref(it) gives a reference to it, which calls, replies and `given` carry'

/**
 * Something that lives where it was made and cannot be written as a value. Whoever writes a frame gives each of
 * them a number, and writes `#wat/ref` and that number in its place. Everywhere else EDN cannot carry it.
 */
export abstract class Reference {
  /** @internal */
  abstract get [ADVICE](): string
}

/**
 * What stands for a thing in the frame that is being written; `undefined` for what nothing does. It is asked of bytes,
 * and of everything that EDN has no other way to write, and of the same thing perhaps twice.
 */
export type Refer = (thing: object) => string | undefined

let refer: Refer | undefined

/** From now on this tells. Returns what told before. */
export function referWith(next: Refer | undefined): Refer | undefined {
  const before = refer
  refer = next
  return before
}

/** What is written for it, if it can stand in what is being written. */
export function referenceText(thing: object): string | undefined {
  return refer?.(thing)
}

/** What to do with what cannot stand there. */
export function adviceFor(thing: unknown): string | undefined {
  if (typeof thing === 'function') return USE_REF
  return thing instanceof Reference ? thing[ADVICE] : undefined
}
