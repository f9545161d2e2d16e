import { Reader } from '../edn/index.ts'
import { readHead, type Head } from './head.ts'

const HEAD_BYTES = 512
const SPACE = 0x20

/** The head that stands there, and how long it is with the space behind it. */
export function readAhead(bytes: Uint8Array): { map: unknown; head: Head; length: number } | undefined {
  const reader = new Reader()
  try {
    for (let from = 0; from < bytes.length; from += HEAD_BYTES) {
      const piece = bytes.subarray(from, from + HEAD_BYTES)
      if (piece.some(byte => byte >= 0x80)) return undefined // the reader would but guess where it ends
      reader.push(piece)
      if (!reader.next()) continue
      const length = reader.valueBytes
      if (bytes[length] !== SPACE) return undefined
      return { map: reader.value, head: readHead(reader.value), length: length + 1 }
    }
  } catch {
    // It is told by the reader of the whole frame.
  }
  return undefined
}
