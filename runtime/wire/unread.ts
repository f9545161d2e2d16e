import { Reader } from '../edn/index.ts'
import { ADVICE, Reference } from '../edn/reference.ts'
import { WatError } from '../error.ts'

/**
 * A body that has not been read, or is written already: what `lazy` gives, and what `unread(value)` makes. As the whole
 * of a call or of a reply it goes on as it is: its text is copied, its references are led on, nothing is parsed.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what `read` gives
export class Unread<T = any> extends Reference {
  /** @internal */
  readonly text: Uint8Array
  /** @internal What `#wat/bytes n` stands for in it. */
  readonly raws: readonly Uint8Array[]
  /** @internal What `#wat/ref n` stands for in it. */
  things: readonly object[]
  /** @internal It is known to be one form. */
  sound: boolean

  /** @internal */
  constructor(text: Uint8Array, raws: readonly Uint8Array[], things: readonly object[], sound: boolean) {
    super()
    this.text = text
    this.raws = raws
    this.things = things
    this.sound = sound
  }

  /** What it takes on the wire, in bytes. */
  get size(): number {
    const { text, raws } = this
    return raws.reduce((sum, { length }) => sum + length, text.length)
  }

  /** Its value, anew each time. Throws `malformed` for what is no EDN. */
  read(): T {
    const { text, raws, things } = this
    const copies = new Map<unknown, Uint8Array | undefined>()
    const reader = new Reader({
      dereference: number => found(things[number as number]),
      raw(number) {
        if (!copies.has(number)) copies.set(number, raws[number as number]?.slice())
        return found(copies.get(number))
      },
    })
    reader.push(text)
    reader.end()
    if (!reader.next()) throw new WatError('malformed', 'a body without a form')
    const { value } = reader
    if (reader.next()) throw new WatError('malformed', 'a body of more than one form')
    this.sound = true
    return value as T
  }

  /** @internal */
  get [ADVICE](): string {
    return 'an Unread is the whole of a call or of a reply; read() gives its value'
  }
}

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw new WatError('malformed', 'a body that names what did not come with it')
  return thing
}
