import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reader } from '../../runtime/edn/index.ts'
import { Tagged } from '../../runtime/edn/values.ts'
import { WatError } from '../../runtime/error.ts'

/** What comes out of a reader to which each form has a line to itself, given in pieces of these sizes. */
function read(text: string, sizes: readonly number[], maxFrame?: number): (Tagged | WatError)[] {
  const reader = new Reader({ maxFrame })
  reader.oneFormPerLine()
  const bytes = new TextEncoder().encode(text)
  const out: (Tagged | WatError)[] = []
  const drain = () => {
    for (;;) {
      try {
        if (!reader.next()) return
        out.push(reader.value as Tagged)
      } catch (error) {
        out.push(error as WatError)
      }
    }
  }
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] as number
    reader.push(bytes.subarray(at, at + size))
    drain()
    at += size
  }
  reader.end()
  drain()
  return out
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })

/** Parts of bodies by somebody who means harm. */
const piece = fc.constantFrom(
  ...[
    '"',
    '\\',
    ']',
    '[',
    '}',
    '{',
    ')',
    '(',
    ' ',
    ';',
    '#_',
    '#',
    '#{',
    '1',
    'x',
    ':a',
    ',',
    'ä',
    '\r',
    '"b"',
  ],
  ...[
    '\\u0041',
    '\\n',
    `"${'y\\n'.repeat(150)}`,
    'z'.repeat(400),
    '] #wat/stop {} [',
    '] #wat/cancel [2] ',
    '#wat/req [7 1]',
    '##Inf',
    '^',
    '#foo ',
    '#inst "x"',
    '\\newline',
  ],
)
const body = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join('')),
  fc.string({ maxLength: 12 }).map(text => text.replaceAll('\n', '')),
)

describe('P96 each form has a line to itself', () => {
  test('what is well formed comes as it is, however it is cut', () => {
    const lines = [
      '#wat/req [1 {:a "x"}]',
      '; nothing',
      '',
      '  #_ 5',
      '[1 2]',
      '"ä" ',
      '#wat/rep [2 (a b)]',
      '7',
    ]
    for (let size = 1; size < 30; size++) {
      const forms = read(lines.join('\n') + '\n', [size])
      expect(forms.map(form => (form instanceof Tagged ? form.tag : form))).toEqual([
        'wat/req',
        [1, 2],
        'ä',
        'wat/rep',
        7,
      ])
    }
  })

  test('P96 whatever stands in one line, it reaches no other', () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 6 }), sizes, (bodies, cut) => {
        const text = bodies
          .map((each, n) => `#wat/req [${2 * n} ${each}]\n#wat/req [${2 * n + 1} "whole"]\n`)
          .join('')
        const out = read(text, cut)
        const forms = out.filter(one => !(one instanceof WatError))
        // No frame but the ones whose lines these are, in their order.
        expect(forms.map(form => (form as Tagged).tag)).toEqual(forms.map(() => 'wat/req'))
        const ids = forms.map(form => ((form as Tagged).value as unknown[])[0] as number)
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
        // Each line behind a bad one is read, and whoever waits for a bad one can be told.
        const told = out.flatMap(one => {
          const head = one instanceof WatError ? (one.data as { head?: { id: number } }).head : undefined
          return head ? [head.id] : []
        })
        bodies.forEach((_, n) => {
          expect(ids).toContain(2 * n + 1)
          expect([...ids, ...told]).toContain(2 * n)
        })
      }),
      { numRuns: process.env.FUZZ_SECONDS === undefined ? 1500 : 40_000 },
    )
  })

  test('P96 one that is too large ends with its line, too', () => {
    const long = `#wat/req [1 "${'x'.repeat(100)}]`
    for (let size = 1; size < 50; size++) {
      const out = read(`${long}\n#wat/req [2 "y"]\n`, [size], 60)
      expect(out).toHaveLength(2)
      expect(out[0]).toMatchObject({ code: 'too-large', data: { head: { tag: 'wat/req', id: 1 } } })
      expect(out[1]).toMatchObject({ tag: 'wat/req', value: [2, 'y'] })
    }
  })

  test('P96 one that the end of the input cuts off, and a discard without its form, are told once', () => {
    for (let size = 1; size < 40; size++) {
      const told = (text: string, maxFrame?: number) =>
        read(text, [size], maxFrame).map(one => (one instanceof WatError ? one.code : one))
      expect(told('\n[5')).toEqual(['malformed'])
      expect(told('\n\n["' + 'x'.repeat(50), 20)).toEqual(['too-large'])
      expect(told('1\n#_\n2\n3\n')).toEqual([1, 'malformed', 2, 3])
    }
  })

  test('P96 from where it holds', () => {
    const reader = new Reader()
    reader.push('{:a\n1} #wat/lines {}\n[1\n2]\n#wat/req [3 x] 5\n6')
    const out: unknown[] = []
    reader.next()
    reader.next()
    reader.oneFormPerLine()
    reader.end()
    for (let more = true; more;) {
      try {
        more = reader.next()
        if (more) out.push(reader.value)
      } catch (error) {
        out.push((error as WatError).code)
      }
    }
    expect(out).toMatchObject(['malformed', 2, 'malformed', { tag: 'wat/req' }, 'malformed', 6])
  })
})
