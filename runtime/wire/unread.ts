import { Reader } from '../edn/index.ts'
import { ADVICE, Reference } from '../edn/reference.ts'
import { WatError } from '../error.ts'

/**
 * A body that has not been read, or is written already: what `lazy` gives, and what `unread(value)` makes. As the whole
 * of a call or of a reply it goes on as it is: its text is copied, its references are led on, nothing is parsed.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what `read` gives
export class Unread<T = any> extends Reference {
  /** @internal Its text is that of these, */
  bytes: Uint8Array
  /** @internal from here */
  from: number
  /** @internal to here. */
  to: number
  /** @internal What `#wat/bytes n` stands for in it. */
  readonly raws: readonly Uint8Array[]
  /** @internal What `#wat/ref n` stands for in it. */
  things: readonly object[]
  /** @internal It is known to be one form. */
  sound: boolean

  /** @internal */
  constructor(
    bytes: Uint8Array,
    from: number,
    to: number,
    raws: readonly Uint8Array[],
    things: readonly object[],
    sound: boolean,
  ) {
    super()
    this.bytes = bytes
    this.from = from
    this.to = to
    this.raws = raws
    this.things = things
    this.sound = sound
  }

  /** What it takes on the wire, in bytes. */
  get size(): number {
    return this.raws.reduce((sum, { length }) => sum + length, this.to - this.from)
  }

  /** Its value, anew each time. Throws `malformed` for what is no EDN. */
  read(): T {
    const { raws, things } = this
    const copies = new Map<unknown, Uint8Array | undefined>()
    const reader = new Reader({
      dereference: number => found(things[number as number]),
      raw(number) {
        const bytes = raws[number as number]
        if (bytes && !copies.has(number)) copies.set(number, copyOf(bytes))
        return found(copies.get(number))
      },
    })
    reader.push(this.bytes.subarray(this.from, this.to))
    reader.end()
    if (!reader.next()) throw new WatError('malformed', 'a body without a form')
    const { value } = reader
    if (reader.next()) throw new WatError('malformed', 'a body of more than one form')
    this.sound = true
    return value as T
  }

  /** @internal From now on it has memory of its own. */
  own(): void {
    this.bytes = copyOf(this.bytes.subarray(this.from, this.to))
    this.to -= this.from
    this.from = 0
  }

  /** @internal It has been passed on, and nobody has it. */
  spend(): void {
    this.bytes = NOTHING
    this.from = this.to = 0
  }

  /** @internal */
  get [ADVICE](): string {
    return 'an Unread is the whole of a call or of a reply; read() gives its value'
  }
}

/** A Buffer's own `slice` would be a view. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

const NOTHING = new Uint8Array(0)

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw new WatError('malformed', 'a body that names what did not come with it')
  return thing
}
