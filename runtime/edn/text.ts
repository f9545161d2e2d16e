import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { describe } from './describe.ts'
import { isKeywordText, isTagText } from './names.ts'
import { checkRoom, checkText, roomFor } from './too-large.ts'

/** Text as an EDN string: never a raw line break, and nothing that UTF-8 would lose. */
export function stringText(text: string): string {
  // Its escapes are EDN's too, and lone surrogates are among them.
  return text.length < LONG_UNITS ? JSON.stringify(text) : longText(text)
}

const LONG_UNITS = 8 * 1024 * 1024

/** In pieces: V8 ends the process where it has not enough room for a whole one. */
function longText(text: string): string {
  checkRoom(text.length + 2)
  const pieces: string[] = []
  let units = 0
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = pieceEnd(text, from, LONG_UNITS)
    const quoted = JSON.stringify(text.slice(from, to))
    const piece = quoted.slice(from === 0 ? 0 : 1, to === text.length ? undefined : -1)
    units += piece.length
    checkText(units)
    pieces.push(piece)
  }
  return pieces.join('')
}

/** Where a piece of so many units ends, or one more: both halves of a character stay together. */
export function pieceEnd(text: string, from: number, units: number): number {
  const to = Math.min(from + units, text.length)
  return text.codePointAt(to - 1)! > 0xffff ? to + 1 : to
}

/** Bytes as text. */
export function base64Text({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const units = Math.ceil(byteLength / 3) * 4
  checkRoom(units)
  return roomFor(units, () => Buffer.from(buffer, byteOffset, byteLength).toString('base64'))
}

/** For each unit whether it stands for itself in a string, and is one byte of UTF-8. */
export const PLAIN = new Uint8Array(65_536).fill(1, 32, 127)
PLAIN[34] = PLAIN[92] = 0

/** Reads back as the same number: what is too large for an exact integer is written as a float. */
export function numberText(number: number): string {
  if (Number.isSafeInteger(number)) return number === 0 && 1 / number < 0 ? '-0.0' : '' + number
  if (number - number !== 0) return number > 0 ? '##Inf' : number < 0 ? '##-Inf' : '##NaN'
  const text = '' + number
  return Number.isInteger(number) && !text.includes('e') ? text + '.0' : text
}

/** A number as a float, also where it is whole. */
export function doubleText(number: number): string {
  return Number.isSafeInteger(number) && number !== 0
    ? number + '.0'
    : number === 0
      ? zero(number)
      : numberText(number)
}

export function charText(char: string): string {
  const name = CHAR_NAMES[char]
  if (name !== undefined) return '\\' + name
  const unit = char.charCodeAt(0)
  // What does not show, or is white space to some reader, is spelt out.
  return unit < 33 || (char.length === 1 && INVISIBLE.test(char)) ? '\\' + hex(unit) : '\\' + char
}

/** The field of an object as it is written. */
export interface Label {
  name: string
  /** As a keyword, in UTF-8 with a space on either side. */
  bytes: Uint8Array
  /** The field that came behind it the last time. */
  likely: Label | undefined
}

/** The label of a field; `undefined` if it cannot be a keyword. */
export function fieldLabel(name: string): Label | undefined {
  const known = fields.get(name)
  if (known !== undefined) return known
  if (!isKeywordText(name)) return undefined
  const label = { name, bytes: new Uint8Array(Buffer.from(' :' + name + ' ')), likely: undefined }
  remember(fields, name, label)
  return label
}

/** The field of an object as a keyword, with a space behind; `undefined` if it cannot be one. */
export function fieldText(name: string): string | undefined {
  return fieldLabel(name) && ':' + name + ' '
}

/** The tag with its hash sign and a space behind. */
export function tagText(tag: string): string {
  const known = tags.get(tag)
  if (known !== undefined) return known
  if (typeof tag !== 'string' || !isTagText(tag)) throw new WatError('encode', `not a tag: ${describe(tag)}`)
  const text = '#' + tag + ' '
  remember(tags, tag, text)
  return text
}

const INVISIBLE = /[\p{C}\p{Z}]/u
const CHAR_NAMES: Record<string, string | undefined> = {
  '\n': 'newline', '\r': 'return', ' ': 'space', '\t': 'tab', '\b': 'backspace', '\f': 'formfeed',
} // prettier-ignore

const zero = (number: number): string => (1 / number < 0 ? '-0.0' : '0.0')
const hex = (unit: number): string => 'u' + unit.toString(16).toUpperCase().padStart(4, '0')

// Bounded: the names may come from input. To start afresh is cheaper than to choose what goes.
const MAX_REMEMBERED = 4096
const fields = new Map<string, Label>()
const tags = new Map<string, string>()

function remember<T>(table: Map<string, T>, name: string, text: T): void {
  if (table.size >= MAX_REMEMBERED) table.clear()
  table.set(name, text)
}
