import { encodeTo } from '../edn/encode.ts'
import { Out } from '../edn/out.ts'
import { WatError } from '../error.ts'
import type { Arrived } from './arrived.ts'
import { isAsyncIterable } from './iterable.ts'
import { Raws } from './raw.ts'
import { Ref } from './refs/ref.ts'
import { copyOf, Unread } from './unread.ts'

/**
 * Encodes a value once, to be sent as often as one likes: as the whole of a call or of a reply. Later changes of the
 * value change nothing. Throws `encode` for what EDN cannot carry, and for a stream, which only one can read.
 */
export function unread<T>(value: T): Unread<Arrived<T>> {
  const raws = new Raws()
  const things: object[] = []
  const out = new Out()
  out.refer = thing => {
    if (thing instanceof Uint8Array) return raws.refer(thing)
    if (isAsyncIterable(thing))
      throw new WatError('encode', 'a stream is read once: it cannot stand in what is sent often')
    if (!(thing instanceof Ref)) return undefined
    void thing.target // throws for one that has been released
    const known = things.indexOf(thing)
    return `#wat/ref ${known === -1 ? things.push(thing) - 1 : known}`
  }
  encodeTo(out, value)
  const text = out.take()
  return new Unread(text, 0, text.length, raws.list.map(copyOf), things, true)
}
