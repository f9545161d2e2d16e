import { CLASS, ENDS } from './chars.ts'
import { closingQuote, endOfEscapes, ESCAPED, fourDigits, hex, quoteAtEnd, unescaped } from './escapes.ts'
import type { Source } from './source.ts'

/** What stopped the scan of a string. */
export const MORE = 0
export const CLOSED = 1
export const BROKEN = 2
/** Only by hand: an escape that the text does not end, or one of other digits than four, or none. */
const ODD = 3

const PLAIN = 0
const ESCAPE = 1
const UNICODE = 2
const OCTAL = 3

/** V8 takes what is imported for something that may change. */
const SIMPLE = ESCAPED
const CHAIN_UNITS = 1024

/** A string that ends within so many units is faster read by hand; beyond, by searches that are not in JavaScript. */
export const NEAR_UNITS = 64
/** So many are read by hand before V8's JSON is asked to; where escapes are dense it would be no faster. */
const FIRST_UNITS = 256
const DENSE_UNITS = 16 * 1024
/** Dense: more than one unit in so many is one that an escape takes more than what it stands for. */
const DENSE = 8
/** Where JSON has thrown, which takes microseconds, it is left alone so many times: there will be more of that kind. */
const AFTER_ERROR = 16

/** Reads the inside of a string with escapes, or one that is split over texts. Each unit is seen once or twice. */
export class StringScan {
  /** Where in the text the scan stopped: behind the closing quote, or at the culprit. */
  at = 0
  problem = ''
  private value = ''
  private parts: string[] = []
  private state = PLAIN
  private code = 0
  private digits = 0
  /** What is read by hand is put in place of what it was read from: up to here. */
  private to = 0
  private byHandNext = 0

  /** What has been read, once it is closed. Joining forgets it. */
  take(): string {
    const { value, parts } = this
    this.value = ''
    if (parts.length === 0) return value
    const whole = parts.length === 1 && value === '' ? parts[0]! : parts.join('') + value
    parts.length = 0
    return whole
  }

  reset(): void {
    this.forget()
    this.state = PLAIN
  }

  /** Lets go of what has been read, but stays inside the string. */
  forget(): void {
    this.value = ''
    this.parts.length = 0
  }

  /**
   * Goes on at `from`, where all up to `plain` stands for itself; `keep` false reads without remembering. The units
   * of what has been read are others afterwards.
   */
  scan(source: Source, from: number, plain: number, end: number, keep: boolean): number {
    const units = source.units.array
    let at = from
    if (source.ahead > 0) {
      at = plain = Math.min(end, from + source.ahead)
      source.ahead -= at - from
    }
    let byJson = true
    while (at < end) {
      if (this.state === PLAIN) {
        const start = at
        const first = start + FIRST_UNITS
        this.at = this.to = plain
        let stop = plain < first ? this.byHand(units, Math.min(end, first)) : MORE
        if (stop === MORE && this.at >= first) {
          const dense = (this.at - this.to) * DENSE > this.at - start
          const reached = byJson && !dense ? this.farOff(source, start, end, keep) : -1
          if (reached !== -1) {
            at = plain = reached
            continue
          }
          if (!dense) byJson = false
          stop = this.byHand(units, Math.min(end, this.at + DENSE_UNITS))
        }
        if (keep && this.to > start) {
          const same = this.to === (stop === MORE ? this.at : this.at - 1)
          this.add(same ? source.text.slice(start, this.to) : source.units.text(start, this.to))
        }
        at = plain = this.at
        if (stop === CLOSED) return CLOSED
        if (stop === ODD) this.state = ESCAPE
      } else {
        const unit = units[at]!
        if (this.state === ESCAPE ? !this.begin(unit) : !this.digit(unit)) {
          this.at = at
          return BROKEN
        }
        // A unit that ends a short octal escape is not part of it.
        if (this.pass) at++
        plain = at
        if (this.state === PLAIN && keep) this.add(String.fromCharCode(this.code))
      }
    }
    this.at = end
    return MORE
  }

  /** Reads up to `stop`. Stands behind the quote that closes the string, or behind the backslash that is `ODD`. */
  private byHand(units: Uint16Array, stop: number): number {
    let stopped = MORE
    while ((stopped = this.simply(units, stop)) === ODD) {
      // Stands behind the unit that is not simple, unless there is none.
      const unit = units[this.at - 1] === 117 && this.at + 4 <= stop ? fourDigits(units, this.at) : -1
      if (unit < 0) {
        if (units[this.at - 1] !== 92) this.at--
        return ODD
      }
      units[this.to++] = unit
      this.at += 4
    }
    return stopped
  }

  /** The loop that takes the time. Where `at` is needed as it was some units before, V8 makes it half as fast. */
  private simply(units: Uint16Array, stop: number): number {
    let at = this.at
    let to = this.to
    let stopped = MORE
    while (at < stop) {
      let unit = units[at++]!
      if (unit === 34) {
        stopped = CLOSED
        break
      }
      if (unit === 92) {
        stopped = ODD
        if (at === stop) break
        unit = SIMPLE[units[at++]!]!
        if (unit === 0) break
        stopped = MORE
      }
      units[to++] = unit
    }
    this.at = at
    this.to = to
    return stopped
  }

  /** Reads up to the closing quote, or to an escape that the text does not end; -1: it has to be read by hand. */
  private farOff(source: Source, from: number, end: number, keep: boolean): number {
    const { text } = source
    if (this.byHandNext-- > 0) return -1
    this.byHandNext = 0
    // What begins in an earlier text and is long mostly goes on behind this one, too: JSON tells whether it does.
    let stop = from === 0 ? endOfEscapes(text, from, end) : -1
    let value = stop === -1 ? undefined : unescaped(text, from, stop, true)
    if (value === undefined) {
      stop = closingQuote(text, from, end)
      if ((stop === -1 || stop === end) && end === text.length && this.aheadOf(source, from, keep)) return end
      if (stop === end) stop = endOfEscapes(text, from, end)
      if (stop === -1) return -1
      value = unescaped(text, from, stop, false)
      if (value === undefined) this.byHandNext = AFTER_ERROR
    }
    if (value === undefined) return -1
    if (keep) this.add(value)
    return stop
  }

  /** Reads the string as a part of the whole, to its closing quote in a text that is still to come. */
  private aheadOf(source: Source, from: number, keep: boolean): boolean {
    const { whole, wholeAt, text } = source
    if (whole === '') return false
    const start = wholeAt + from
    const behind = wholeAt + text.length
    let close = source.guessed ? -1 : quoteAtEnd(whole)
    let value = close > behind ? unescaped(whole, start, close, true) : undefined
    source.guessed = true
    if (value === undefined) {
      close = closingQuote(whole, start, whole.length)
      if (close < behind || close === whole.length) return false
      value = unescaped(whole, start, close, false)
      if (value === undefined) return false
    }
    if (keep) this.add(value)
    source.ahead = close - behind
    return true
  }

  private pass = true

  private begin(unit: number): boolean {
    this.pass = true
    this.digits = 0
    this.code = 0
    const simple = SIMPLE[unit]!
    if (simple !== 0) {
      this.code = simple
      this.state = PLAIN
      return true
    }
    if (unit === 117 /* u */) {
      this.state = UNICODE
      return true
    }
    this.state = OCTAL
    return this.digit(unit) || this.refuse('unknown escape in a string')
  }

  private digit(unit: number): boolean {
    const unicode = this.state === UNICODE
    const digit = hex(unit)
    if (digit === -1 || (!unicode && digit > 7)) {
      const ends = CLASS[unit]! >= ENDS || unit === 35
      if (unicode || this.digits === 0 || !ends) return this.refuse('wrong digit in an escape')
      this.pass = false
      this.state = PLAIN
      return true
    }
    this.code = this.code * (unicode ? 16 : 8) + digit
    if (++this.digits === (unicode ? 4 : 3)) this.state = PLAIN
    return this.code <= (unicode ? 0xffff : 0o377) || this.refuse('octal escape above 377')
  }

  private refuse(problem: string): false {
    this.problem = problem
    return false
  }

  // Pieces are chained until somebody looks inside; looking now and then keeps the chains short.
  private add(piece: string): void {
    this.value += piece
    if (this.value.length > CHAIN_UNITS) {
      this.value.charCodeAt(0)
      this.parts.push(this.value)
      this.value = ''
    }
  }
}
