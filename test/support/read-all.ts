import type { Reader } from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'

/**
 * Gives a reader one chunk after another, and tells of each value and each error as soon as it is there. An error
 * that `onValue` throws is told like one of the reader's. `open`: more may come, so the input has no end.
 */
export function readAll(
  reader: Reader,
  chunks: Iterable<string | Uint8Array>,
  onValue: (value: unknown) => void,
  onError: (error: WatError) => void,
  open = false,
): void {
  for (const chunk of chunks) {
    reader.push(chunk)
    readAvailable(reader, onValue, onError)
  }
  if (!open) reader.end()
  readAvailable(reader, onValue, onError)
}

function readAvailable(
  reader: Reader,
  onValue: (value: unknown) => void,
  onError: (error: WatError) => void,
): void {
  for (;;) {
    try {
      if (!reader.next()) return
      onValue(reader.value)
    } catch (error) {
      if (!(error instanceof WatError)) throw error
      onError(error)
    }
  }
}
