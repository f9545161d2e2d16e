import { Buffer } from 'node:buffer'
import { LEAST_RAW_BYTES } from './limits.ts'
import type { Out } from '../edn/out.ts'

/** No byte of UTF-8: what begins with it is not text. */
export const RAW_MARK = 0xff

/** What follows the mark: bytes of the next frame. */
export const RAW_BYTES = 1

/** The mark, the kind, and the length as 32 bits, the highest first. */
export const RAW_HEADER_BYTES = 6

/** The bytes that the frame being written holds, and that go ahead of it. `#wat/bytes n` stands for the one in place n. */
export class Raws {
  readonly list: Uint8Array[] = []

  /** What stands for it; `undefined` for what does not go this way. */
  readonly refer = (thing: object): string | undefined => {
    if (!(thing instanceof Uint8Array) || thing.length < LEAST_RAW_BYTES) return undefined
    const known = this.list.indexOf(thing) // a value may be asked about twice
    return `#wat/bytes ${known === -1 ? this.list.push(thing) - 1 : known}`
  }

  /** Puts them ahead of the line that starts there. */
  insert(out: Out, start: number): void {
    if (this.list.length === 0) return
    out.insert(
      start,
      this.list.flatMap(bytes => [rawHeader(bytes.length), bytes]),
    )
    this.clear()
  }

  clear(): void {
    if (this.list.length > 0) this.list.length = 0
  }
}

function rawHeader(length: number): Uint8Array {
  const header = Buffer.alloc(RAW_HEADER_BYTES)
  header[0] = RAW_MARK
  header[1] = RAW_BYTES
  header.writeUInt32BE(length, 2)
  return header
}
