import { describe, expect, test } from 'vitest'
import { parse, Reader, stringify, Tagged, type ReaderOptions } from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'
import { readAll } from '../support/read-all.ts'

function reading(chunks: (string | Uint8Array)[], options?: ReaderOptions, open = false) {
  const reader = new Reader(options)
  const out: unknown[] = []
  const note = (said: unknown) => void out.push(said)
  readAll(reader, chunks, note, note, open)
  return { out, reader }
}

const error = (code: string, data: object) =>
  expect.objectContaining({ code, data: expect.objectContaining(data) })
const bytes = (text: string, size: number) => {
  const whole = Buffer.from(text)
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
    whole.subarray(i * size, (i + 1) * size),
  )
}

describe('P2 errors tell where', () => {
  const cases: [string, number, number, number][] = [
    ['[1 2\n 3 )]', 8, 2, 4],
    ['{:a 1\n\n :a 2}', 8, 3, 2],
    ['#{1 "x\ny" 1}', 10, 2, 4],
    ['"ab\\q"', 4, 1, 5],
    ['[1 2', 4, 1, 5],
    ['{:a\n}', 4, 2, 1],
    ['"é😀" 1x', 6, 1, 7],
    ['#inst "2020-13-01"', 6, 1, 7],
    ['1 2', 2, 1, 3],
  ]
  for (const [text, offset, line, column] of cases) {
    test(JSON.stringify(text), () => {
      let caught: unknown
      try {
        parse(text)
      } catch (thrown) {
        caught = thrown
      }
      expect(caught).toEqual(error('malformed', { offset, line, column }))
    })
  }

  test('also when the place came in an earlier chunk', () => {
    const text = '[1\n "a\nb" "c\nd"\n}\n'
    const { out } = reading(bytes(text, 1))
    expect(out).toEqual([error('malformed', { offset: 16, line: 5, column: 1 })])
  })

  test('and which call of the wire was hit', () => {
    const { out } = reading(['#wat/rep [7 {:a 1 :a 2}]\n#wat/rep [8 "\\q"]\n#wat/rep [x }\n5'])
    expect(out).toEqual([
      error('malformed', { head: { tag: 'wat/rep', id: 7 } }),
      error('malformed', { head: { tag: 'wat/rep', id: 8 } }),
      expect.objectContaining({ data: expect.not.objectContaining({ head: expect.anything() }) }),
      5,
    ])
  })

  test('the cause is what a tag reader threw', () => {
    const cause = new Error('no such account')
    const tags = {
      'my/account': () => {
        throw cause
      },
    }
    const { out } = reading(['#my/account 3\n4'], { tags })
    expect(out).toEqual([expect.objectContaining({ code: 'malformed', cause }), 4])
  })
})

describe('P11 after malformed input reading resumes at the next line', () => {
  test('even when the line feed comes in a later chunk', () => {
    const { out } = reading(['1 [2 ) 3', ' 4 [', '5] "\\', '\n', '6 7'])
    expect(out).toEqual([1, error('malformed', { offset: 5 }), 6, 7])
  })

  test('a line feed that is itself the error counts', () => {
    expect(reading(['"a\\\n1']).out).toEqual([error('malformed', { offset: 3 }), 1])
  })

  test('bytes that are not UTF-8 are malformed, not replaced', () => {
    const bad = Buffer.concat([
      Buffer.from('1\n"é'),
      Buffer.from([0xff]),
      Buffer.from('é"\n2\n"'),
      Buffer.from([0xc3]),
    ])
    for (const size of [1, 2, 3, 100]) {
      const chunks = Array.from({ length: Math.ceil(bad.length / size) }, (_, i) =>
        bad.subarray(i * size, (i + 1) * size),
      )
      expect(reading(chunks).out, `chunks of ${size}`).toEqual([
        1,
        error('malformed', { offset: 4, line: 2 }),
        2,
        error('malformed', { line: 4, incomplete: true }),
      ])
    }
  })
})

describe('P12 a form over the cap', () => {
  const big = `#wat/rep [7 {:a "${'x'.repeat(5000)}" :b [${'[1 2] '.repeat(500)}]}]`

  for (const size of [1, 7, 64, 1000, 100_000]) {
    test(`is refused once and skipped to its end, in chunks of ${size}`, () => {
      const { out } = reading(bytes(`1 ${big} 2\n`, size), { maxFrame: 1000 })
      expect(out).toEqual([1, error('too-large', { head: { tag: 'wat/rep', id: 7 } }), 2])
    })
  }

  test('may be one long atom, string, discard or number', () => {
    for (const form of [
      'a'.repeat(5000),
      `"${'a\\n'.repeat(2000)}"`,
      '1'.repeat(5000),
      `:${'k/'.repeat(2000)}x`,
    ]) {
      for (const size of [1, 64, 100_000]) {
        expect(reading(bytes(`1 ${form} 2`, size), { maxFrame: 1000 }).out).toEqual([
          1,
          error('too-large', {}),
          2,
        ])
        expect(reading(bytes(`1 #_[${form}] 2`, size), { maxFrame: 1000 }).out).toEqual([
          1,
          error('too-large', {}),
          2,
        ])
      }
    }
  })

  test('counts bytes, and one of exactly the cap passes', () => {
    for (const form of ['"éééé"', '[1 2 3 4 5]', '"😀😀😀"']) {
      const size = Buffer.byteLength(form)
      for (const chunk of [1, 100]) {
        expect(reading(bytes(`${form}\n`, chunk), { maxFrame: size }).out).toEqual([parse(form)])
        expect(reading(bytes(`${form}\n3`, chunk), { maxFrame: size - 1 }).out).toEqual([
          error('too-large', {}),
          3,
        ])
      }
    }
  })

  test('white space and comments are no form', () => {
    const idle = ' \n;' + 'x'.repeat(5000) + '\n' + ','.repeat(5000)
    for (const size of [1, 64, 100_000])
      expect(reading(bytes(`${idle}1`, size), { maxFrame: 10 }).out).toEqual([1])
  })

  test('is not held in memory', () => {
    const reader = new Reader({ maxFrame: 1 << 20 })
    const chunk = Buffer.from('"' + 'x'.repeat(65_533) + '" ')
    reader.push('[')
    const before = process.memoryUsage().heapUsed
    let refused = 0
    for (let i = 0; i < 3000; i++) {
      reader.push(chunk)
      try {
        expect(reader.next()).toBe(false)
      } catch (thrown) {
        expect(thrown).toEqual(error('too-large', {}))
        refused++
      }
    }
    expect(refused).toBe(1)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20)
    reader.push('] :next')
    reader.end()
    expect(reader.next()).toBe(true)
    expect(stringify(reader.value)).toBe(':next')
  }, 20_000)
})

describe('P3 time is linear in the input', () => {
  const forms: Record<string, (size: number) => string> = {
    'a vector of maps': size => `[${'{:a 1 :b "text"} '.repeat(size / 17)}]`,
    'one string': size => `"${'x'.repeat(size)}"`,
    'one string of escapes': size => `"${'\\n'.repeat(size / 2)}"`,
    'one symbol': size => 'x'.repeat(size),
    'one map of many keys': size =>
      `{${Array.from({ length: size / 64 }, (_, i) => `:key${i} "${'x'.repeat(48)}"`).join(' ')}}`,
    'one set of vectors': size => `#{${Array.from({ length: size / 32 }, (_, i) => `[${i} :a]`).join(' ')}}`,
    'open brackets': size => '['.repeat(Math.min(size, 900_000)),
    'open sets': size => `${'#{'.repeat(size / 64)}${'}'.repeat(size / 64)}`,
    'line feeds': size => `[${'\n'.repeat(size)}]`,
  }
  for (const [name, make] of Object.entries(forms)) {
    // A collection of memory at the wrong moment is not there again; what is quadratic is so every time.
    test(`${name}, in chunks of 4 KB`, { timeout: 60_000, retry: 2 }, () => {
      const [small, large] = [bytes(make(1 << 18), 4096), bytes(make(8 << 18), 4096)]
      const time = (chunks: Uint8Array[]) => {
        const start = performance.now()
        reading(chunks)
        return performance.now() - start
      }
      const once = Math.max(5, Math.min(...Array.from({ length: 4 }, () => time(small))))
      // Eight times the input; quadratic would be 64 times the time, and a busy machine blurs it.
      let times = Infinity
      for (let n = 0; n < 4 && times >= 36; n++) times = Math.min(times, time(large) / once)
      expect(times).toBeLessThan(36)
    })
  }
})

describe('P3 depth', () => {
  test('100,000 levels are read and written back', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['(', ')'],
      ['{:a ', '}'],
      ['#{', '}'],
      ['#my/t ', ''],
      ['{[1] ', '}'],
    ] as const) {
      const text = open.repeat(100_000) + '1' + close.repeat(100_000)
      expect(stringify(parse(text)) === text, open).toBe(true)
    }
  })

  test('past the limit is an error like any other', () => {
    expect(reading(['[[[1]]]\n2'], { maxDepth: 2 }).out).toEqual([error('malformed', { offset: 2 }), 2])
    expect(() => parse('['.repeat(2_000_000))).toThrowError(expect.objectContaining({ code: 'malformed' }))
  })
})

describe('P8 flow', () => {
  test('bytes taken and buffered add up', () => {
    const { out, reader } = reading(['{:a 1} [2', ' 3'], undefined, true)
    expect(out).toEqual([{ a: 1 }])
    expect(reader.valueBytes).toBe(6)
    expect(reader.buffered).toBe(5)
    expect(reader.pending).toBe(true)
    reader.push(']\n  ; done\n')
    expect(reader.next()).toBe(true)
    expect(reader.valueBytes).toBe(6)
    expect(reader.next()).toBe(false)
    expect(reader.buffered).toBe(0)
    expect(reader.pending).toBe(false)
  })

  test('a tag or discard that waits for its value is pending', () => {
    for (const text of ['#my/tag ', '#_', '#', '"', 'atom', '#_ #_ 1']) {
      expect(reading([text], undefined, true).reader.pending, text).toBe(true)
    }
    for (const text of ['', ' ', '; comment', '#_ 1 ']) {
      expect(reading([text], undefined, true).reader.pending, text).toBe(false)
    }
  })

  test('a value is there as soon as its last byte is', () => {
    const reader = new Reader()
    for (const text of ['[1]', '"a"', '#{}', '{:a 1}', '(x)', `"${'x'.repeat(10_000)}"`]) {
      reader.push(text)
      expect(reader.next(), text).toBe(true)
    }
  })

  test('tag readers run on values, never on what is discarded', () => {
    const seen: unknown[] = []
    const tags = new Map([['my/t', (value: unknown) => seen.push(value)]])
    expect(reading(['#_ #my/t 1 #_ [#my/t 2 {:a #my/t 3}] #my/t 4'], { tags }).out).toEqual([1])
    expect(seen).toEqual([4])
    expect(parse('#my/t 1')).toEqual(new Tagged('my/t', 1))
  })

  test('every error is a WatError', () => {
    for (const text of [
      ')',
      '"\\q"',
      '[',
      '#inst 1',
      '#uuid "x"',
      '#wat/bytes "A"',
      '1/0',
      '\\ud800',
      '#{1 1}',
    ]) {
      expect(() => parse(text)).toThrowError(WatError)
    }
  })
})

describe('P2 pieces that are the same text', () => {
  test('give the same values: long strings, split in all of their places', () => {
    const line = `"${'x'.repeat(200)}" `
    for (let shift = 0; shift < line.length; shift++) {
      const reader = new Reader()
      const piece = (line + line + line).slice(shift, shift + 2 * line.length)
      const whole = line.slice(0, shift) + piece.repeat(5)
      const values: unknown[] = []
      for (const text of [line.slice(0, shift), ...Array.from({ length: 5 }, () => piece)]) {
        reader.push(Buffer.from(text))
        while (reader.next()) values.push(reader.value)
      }
      expect(values.length).toBe(Math.floor((whole.split('"').length - 1) / 2))
      expect(new Set(values)).toEqual(new Set(['x'.repeat(200)]))
    }
  })
})
