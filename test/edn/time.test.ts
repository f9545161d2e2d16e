import { describe, expect, test } from 'vitest'
import { parse, Reader, stringify } from '../../runtime/edn/index.ts'

/** `npm run soak` asks for the large ones. */
const SIZE = process.env.WAT_LONG === undefined ? 1 << 17 : 1 << 19
/** So many times as long as plain maps of the same size a form may take: what is quadratic takes hundreds. */
const MOST_TIMES = 120
const CHUNK = SIZE / 8
/** A collection of memory at the wrong moment makes one of them slow, but not all. */
const ATTEMPTS = 3

const rep = (part: string, size: number) => part.repeat(Math.max(1, Math.floor(size / part.length)))

function seq(part: (i: number) => string, size: number): string {
  const parts: string[] = []
  for (let i = 0, length = 0; length < size; i++) {
    parts.push(part(i))
    length += parts[i]!.length + 1
  }
  return parts.join(' ')
}

/** Two consecutive Fibonacci numbers: Euclid's method takes longest. */
function fibonacci(digits: number): string {
  let [a, b] = [1n, 1n]
  const least = 10n ** BigInt(digits - 1)
  while (a < least) [a, b] = [b, a + b]
  return `${b}/${a}`
}

const plain = (size: number) => `[${rep('{:a 1 :b "text"} ', size)}]`

const FORMS: Record<string, (size: number) => string> = {
  'an integer': size => '9'.repeat(size),
  'an integer with N': size => `-${'9'.repeat(size)}N`,
  'a hexadecimal integer': size => `0x${'f'.repeat(size)}`,
  'radix 36': size => `36r${'z'.repeat(size)}`,
  'radix 3': size => `3r${'2'.repeat(size)}`,
  'zeros': size => '0'.repeat(size),
  'a float': size => `1.${'9'.repeat(size)}`,
  'an exponent': size => `1e${'9'.repeat(size)}`,
  'a decimal': size => `${'9'.repeat(size)}M`,
  'a decimal with a huge exponent, as a member': size => `#{1e${'9'.repeat(size)}M 1M}`,
  'a decimal of zeros, as a member': size => `#{1${'0'.repeat(size)}1M}`,
  'a ratio': size => `${'1'.repeat(size / 2)}/${'3'.repeat(size / 2)}`,
  'a ratio of Fibonacci numbers': () => fibonacci(20_000),
  'ratios of Fibonacci numbers of 1000 digits': size => `[${rep(`${fibonacci(1000)} `, size)}]`,
  'ratios of Fibonacci numbers of 100 digits': size => `[${rep(`${fibonacci(100)} `, size)}]`,
  'ratios of Fibonacci numbers of 15 digits': size => `[${rep(`${fibonacci(15)} `, size)}]`,
  'integers of 9999 digits': size => `[${rep(`${'9'.repeat(9999)} `, size)}]`,
  'integers of radix 36 and 6000 digits': size => `[${rep(`36r${'z'.repeat(6000)} `, size)}]`,
  'short integers of radix 36': size => `[${rep('36rzz ', size)}]`,
  'decimals of zeros, as members': size => `#{${seq(i => `1${i}${'0'.repeat(9000)}1M`, size)}}`,
  'decimals with huge exponents, as members': size => `#{${seq(i => `1e1${i}${'7'.repeat(9000)}M`, size)}}`,
  'a number that is none': size => `${'1'.repeat(size)}x`,
  'keywords': size => `[${seq(i => `:k${i}`, size)}]`,
  'keywords that collide': size => `[${seq(i => ':' + Array.from({ length: 12 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''), size)}]`, // prettier-ignore
  'one long keyword': size => `:k${'/k'.repeat(size / 2)}`,
  'symbols': size => `[${seq(i => `s${i}`, size)}]`,
  'a wide map': size => `{${seq(i => `:k${i} 1`, size)}}`,
  'a wide map of strings': size => `{${seq(i => `"k${i}" 1`, size)}}`,
  'a wide object': size => `#wat/object {${seq(i => `"k ${i}" 1`, size)}}`,
  'many small objects': size => `[${rep('#wat/object {"a b" 1} ', size)}]`,
  'many errors': size => `[${rep('#wat/error {:message "x"} ', size)}]`,
  'a deep chain of causes': size => `#wat/error ${rep('{:cause ', size - size / 9)}nil${'}'.repeat(Math.floor((size - size / 9) / 8))}`, // prettier-ignore
  'a set of vectors': size => `#{${seq(i => `[${i}]`, size)}}`,
  'a set of sets': size => `#{${seq(i => `#{${i} -1}`, size)}}`,
  'a set of tagged values': size => `#{${seq(i => `#a ${i}`, size)}}`,
  'sets in sets': size => `${'#{'.repeat(size / 3)}${'}'.repeat(size / 3)}`,
  'sets of two in sets': size => `${'#{#{1} '.repeat(size / 8)}${'}'.repeat(size / 8)}`,
  'maps as keys of maps': size => `${'{'.repeat(size / 4)}1 ${'2}'.repeat(size / 4)}`,
  'vectors in a set': size => `#{${'['.repeat(size / 2)}${']'.repeat(size / 2)}}`,
  'discards': size => `[${'#_'.repeat(size / 4)}${'1 '.repeat(size / 4)}1]`,
  'tags': size => `${rep('#a ', size)}1`,
  'a namespace': size => `#:n{${seq(i => `:k${i} 1`, size)}}`,
  'namespaces': size => `[${rep('#:a{:b 1} ', size)}]`,
  'dates': size => `[${rep('#inst "2020" ', size)}]`,
  'a long date': size => `#inst "2020-01-01T00:00:00.${'1'.repeat(size)}Z"`,
  'bytes': size => `#wat/bytes "${'AAAA'.repeat(size / 4)}"`,
  'bytes that are none': size => `#wat/bytes "${'='.repeat(size)}"`,
  'a string of escapes': size => `"${rep('\\7#', size)}"`,
  'line feeds before an error': size => `[${'\n'.repeat(size)}}`,
} // prettier-ignore

/** Reads it to its end, or to its error. */
function read(text: string): void {
  try {
    parse(text)
  } catch {} // how long it takes is the question
}

function stream(text: string): void {
  const bytes = Buffer.from(text)
  const reader = new Reader()
  try {
    for (let from = 0; from < bytes.length; from += CHUNK) {
      reader.push(bytes.subarray(from, from + CHUNK))
      while (reader.next());
    }
    reader.end()
    while (reader.next());
  } catch {} // as above
}

function nanosecondsPerByte(run: (text: string) => void, text: string): number {
  const start = process.hrtime.bigint()
  run(text)
  return Number(process.hrtime.bigint() - start) / text.length
}

/** What plain maps take, at best. */
function usual(run: (text: string) => void, text: string): number {
  return Math.min(...Array.from({ length: ATTEMPTS }, () => nanosecondsPerByte(run, text)))
}

/** How many times as long as is usual it takes, at best; as soon as that is few enough it is not tried again. */
function times(run: (text: string) => void, text: string, usual: number, most: number): number {
  let least = Infinity
  for (let n = 0; n < 2 * ATTEMPTS && least >= most; n++)
    least = Math.min(least, nanosecondsPerByte(run, text) / usual)
  return least
}

const flat = (text: string) => Buffer.from(text).toString()

describe('P3 no form takes much longer than another of its size', () => {
  for (const [name, make] of Object.entries(FORMS)) {
    // As for linear time: a collection of memory at the wrong moment is not there again.
    test(name, { timeout: 120_000, retry: 2 }, () => {
      const text = flat(make(SIZE))
      for (const run of [read, stream])
        expect(times(run, text, usual(run, flat(plain(SIZE))), MOST_TIMES)).toBeLessThan(MOST_TIMES)
    })
  }

  test('and what was read is written as fast', { timeout: 120_000, retry: 2 }, () => {
    const forms = [
      'sets of two in sets',
      'a set of vectors',
      'a wide object',
      'integers of 9999 digits',
      'many errors',
    ]
    const writing = (text: string) => {
      const value = parse(text)
      return () => stringify(value)
    }
    const plainly = plain(SIZE)
    const asUsual = usual(writing(plainly), plainly)
    for (const name of forms) {
      const text = FORMS[name]!(SIZE)
      expect(times(writing(text), text, asUsual, 2 * MOST_TIMES), name).toBeLessThan(2 * MOST_TIMES)
    }
  })
})
