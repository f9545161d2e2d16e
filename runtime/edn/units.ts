import { Buffer } from 'node:buffer'

/** As long as texts are read in one go. */
export const MAX_UNITS = 65_536
const FIRST_UNITS = 512

const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0

/** A text's UTF-16 units in an array: to look at them there takes half the time that the text itself does. */
export class Units {
  /** What is behind the text's length means nothing. */
  array = new Uint16Array(0)
  #bytes: Buffer | undefined

  fill(text: string): void {
    const { length } = text
    const room = this.array.length
    if (this.#bytes === undefined || room < length || (room > MAX_UNITS && length <= MAX_UNITS))
      this.#bytes = this.#allocate(length)
    this.#bytes.write(text, 0, 2 * length, 'utf16le')
    if (BIG_ENDIAN) this.#bytes.subarray(0, 2 * length).swap16()
  }

  #allocate(least: number): Buffer {
    let units = FIRST_UNITS
    while (units < least && units < MAX_UNITS) units *= 2
    const bytes = Buffer.allocUnsafeSlow(2 * Math.max(units, least))
    this.array = new Uint16Array(bytes.buffer)
    return bytes
  }
}
