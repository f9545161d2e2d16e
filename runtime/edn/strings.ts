import { CLASS, ENDS } from './chars.ts'

/** What stopped the scan of a string. */
export const MORE = 0
export const CLOSED = 1
export const BROKEN = 2

const PLAIN = 0
const ESCAPE = 1
const UNICODE = 2
const OCTAL = 3

const ESCAPES: Record<number, string> = {
  34: '"', 92: '\\', 98: '\b', 102: '\f', 110: '\n', 114: '\r', 116: '\t',
} // prettier-ignore

const CHAIN_UNITS = 1024

/** A string that ends within so many units is faster read by hand; beyond, by searches that are not in JavaScript. */
export const NEAR_UNITS = 64

/** Where the first quote or backslash from `from` on stands, or `end`. */
export function plainEnd(text: string, from: number, end: number): number {
  return nextBackslash(text, from, Math.min(nextQuote(text, from), end))
}

function nextQuote(text: string, from: number): number {
  const quote = text.indexOf('"', from)
  return quote === -1 ? text.length : quote
}

/** The first backslash from `from` on, or `limit`. */
function nextBackslash(text: string, from: number, limit: number): number {
  const backslash = text.slice(from, limit).indexOf('\\')
  return backslash === -1 ? limit : from + backslash
}

/** Reads the inside of a string with escapes, or one that is split over texts. Each unit is seen once. */
export class StringScan {
  /** Where in the text the scan stopped: behind the closing quote, or at the culprit. */
  at = 0
  problem = ''
  private value = ''
  private parts: string[] = []
  private state = PLAIN
  private code = 0
  private digits = 0

  /** What has been read, once it is closed. Joining forgets it. */
  take(): string {
    const value = this.parts.length === 0 ? this.value : this.parts.join('') + this.value
    this.reset()
    return value
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

  /** Goes on at `from`; `keep` false reads without remembering. */
  scan(text: string, from: number, end: number, keep: boolean): number {
    let at = from
    let quote = -1
    while (at < end) {
      if (this.state === PLAIN) {
        const start = at
        const near = Math.min(end, at + NEAR_UNITS)
        let next = 0
        while (at < near && (next = text.charCodeAt(at)) !== 34 && next !== 92) at++
        if (at === near && near < end) {
          // Remembered, or a far one would be looked for behind every backslash.
          if (quote < at) quote = nextQuote(text, at)
          at = nextBackslash(text, at, Math.min(quote, end))
        }
        if (keep && at > start) this.add(text.slice(start, at))
        if (at === end) break
        const unit = text.charCodeAt(at)
        this.at = ++at
        if (unit === 34) return CLOSED
        this.state = ESCAPE
      } else {
        const unit = text.charCodeAt(at)
        if (this.state === ESCAPE ? !this.begin(unit) : !this.digit(unit)) {
          this.at = at
          return BROKEN
        }
        // A unit that ends a short octal escape is not part of it.
        if (this.pass) at++
        if (this.state === PLAIN && keep) this.add(String.fromCharCode(this.code))
      }
    }
    this.at = end
    return MORE
  }

  private pass = true

  private begin(unit: number): boolean {
    this.pass = true
    this.digits = 0
    this.code = 0
    const simple = ESCAPES[unit]
    if (simple !== undefined) {
      this.code = simple.charCodeAt(0)
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

function hex(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  const lower = unit | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
