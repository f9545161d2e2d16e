import { WatError } from '../error.ts'
import { Reader } from './reader.ts'
import type { ReaderOptions } from './state.ts'

/** The one form in the text. Throws a `WatError`, `malformed`, if there is none or more than one. */
export function parse(text: string | Uint8Array, options?: ReaderOptions): unknown {
  const reader = readerOf(text, options)
  if (!reader.next()) {
    throw new WatError('malformed', 'no form', { data: { ...reader.position(), incomplete: true } })
  }
  const { value } = reader
  if (reader.next()) throw new WatError('malformed', 'more than one form', { data: reader.position() })
  return value
}

/** All forms in the text. */
export function parseAll(text: string | Uint8Array, options?: ReaderOptions): unknown[] {
  const reader = readerOf(text, options)
  const values: unknown[] = []
  while (reader.next()) values.push(reader.value)
  return values
}

function readerOf(text: string | Uint8Array, options: ReaderOptions | undefined): Reader {
  const reader = new Reader(options)
  reader.push(text)
  reader.end()
  return reader
}
