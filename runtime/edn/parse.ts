import { Buffer, isUtf8 } from 'node:buffer'
import { WatError } from '../error.ts'
import { advance } from './advance.ts'
import type { ReaderOptions } from './options.ts'
import { ReaderState } from './state.ts'
import { MAX_UNITS } from './units.ts'

/** The one form in the text. Throws a `WatError`, `malformed`, if there is none or more than one. */
export function parse(input: string | Uint8Array, options?: ReaderOptions): unknown {
  const text = textOf(input)
  // Making a state costs as much as reading a small form: one waits for the next call. A tag reader may parse in
  // turn, so it is taken away meanwhile; after an error it is not used again.
  const reusable = typeof text === 'string' && options === undefined && text.length <= MAX_UNITS
  const state = (reusable ? idle : undefined) ?? new ReaderState(options)
  if (reusable) {
    idle = undefined
    state.only(text)
  } else {
    state.source.push(text)
    state.source.end()
  }
  if (!advance(state)) {
    throw new WatError('malformed', 'no form', {
      data: { ...state.source.locate(state.source.pos), incomplete: true },
    })
  }
  const { value } = state
  const over = reusable && state.source.pos === text.length
  if (!over && advance(state)) {
    throw new WatError('malformed', 'more than one form', { data: state.formPlace() })
  }
  if (reusable) {
    state.value = undefined
    state.source.text = ''
    idle = state
  }
  return value
}

/** All forms in the text. */
export function parseAll(text: string | Uint8Array, options?: ReaderOptions): unknown[] {
  const state = new ReaderState(options)
  state.source.push(text)
  state.source.end()
  const values: unknown[] = []
  while (advance(state)) values.push(state.value)
  return values
}

/** What is no UTF-8 is for the reader, which tells where. */
function textOf(input: string | Uint8Array): string | Uint8Array {
  if (typeof input === 'string' || !isUtf8(input)) return input
  return Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString()
}

let idle: ReaderState | undefined
