import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { parse, parseAll, Reader, stringify } from '../../runtime/edn/index.ts'

/** So often that the codec has made a function for maps of that kind. */
const MANY = 100

const repeated = (form: string) =>
  parse(`[${Array.from({ length: MANY }, () => form).join(' ')}]`) as object[]

describe('P1 maps of one kind, again and again', () => {
  test('names that mean something to JavaScript are fields like others', () => {
    for (const object of repeated('{:__proto__ {:a 1} :constructor 2 :toString nil :x/y [3] :1 true}')) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
      expect(Object.entries(object)).toEqual([
        ['1', true],
        ['__proto__', { a: 1 }],
        ['constructor', 2],
        ['toString', null],
        ['x/y', [3]],
      ])
    }
    expect(({} as { a?: number }).a).toBeUndefined()
  })

  test('each is an object of its own', () => {
    const [first, second] = repeated('{:a [1] :b {:c "d"}}') as { a: number[]; b: { c: string } }[]
    first!.a.push(2)
    first!.b.c = 'changed'
    expect(second).toEqual({ a: [1], b: { c: 'd' } })
  })

  test('a field may be missing, come elsewhere or be one too many', () => {
    const kinds = [
      '{:a 1 :b 2 :c 3}',
      '{:a 1 :c 3}',
      '{:b 2 :a 1}',
      '{:a 1 :b 2 :c 3 :d 4}',
      '{}',
      '{:ab 1}',
      '{:a 1 "b" 2}',
    ]
    const text = Array.from({ length: MANY * kinds.length }, (_, n) => kinds[(n * 5) % kinds.length]).join(
      '\n',
    )
    expect(
      parseAll(text)
        .map(value => stringify(value))
        .join('\n'),
    ).toBe(text)
  })

  test('wherever the bytes are split', () => {
    const form = `{:id 7 :name "n" :tags [:a :b] :nested {:id 8 :price -1.25} :ok true}`
    repeated(form)
    const bytes = Buffer.from(`${form} ${form}\n`)
    for (let at = 0; at <= bytes.length; at++) {
      const reader = new Reader()
      const values: unknown[] = []
      for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
        reader.push(part)
        while (reader.next()) values.push(reader.value)
      }
      expect(values).toEqual([parse(form), parse(form)])
    }
  })

  test('a wide map is read and written whole', () => {
    for (const width of [31, 32, 33, 34, 1000]) {
      const wide = Object.fromEntries(Array.from({ length: width }, (_, n) => [`field-${n}`, n]))
      const text = stringify(Array.from({ length: 20 }, () => wide))
      expect(parse(text)).toEqual(Array.from({ length: 20 }, () => wide))
    }
  })

  test('a key that is no keyword makes a Map of the whole, also behind many fields', () => {
    for (const width of [0, 1, 32, 33, 40]) {
      const fields = Array.from({ length: width }, (_, n) => `:k${n} ${n}`).join(' ')
      const map = parse(`{${fields} "text" 1}`) as Map<unknown, unknown>
      expect(map).toBeInstanceOf(Map)
      expect(map.size).toBe(width + 1)
      expect(map.get('text')).toBe(1)
    }
  })
})

test('P2 a key that comes twice is told, with its place, however many came before', () => {
  for (const width of [1, 2, 31, 32, 33, 100]) {
    const fields = Array.from({ length: width }, (_, n) => `:k${n} ${n}`).join(' ')
    for (const text of [`{${fields} :k0 1}`, `[{${fields}} {${fields}} {${fields} :k${width - 1} 1}]`]) {
      const offset = text.lastIndexOf(':k')
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ code: 'malformed', data: expect.objectContaining({ offset }) }),
      )
    }
  }
})

test('P3 maps that are all of another kind make no table grow without bound, and are still read', () => {
  const kinds = 20_000
  const text = Array.from({ length: kinds }, (_, n) => `{:a${n} 1 :b${n} {:c${n} 2}}`).join(' ')
  collect()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 3; round++) {
    expect((parse(`[${text}]`) as object[]).at(-1)).toEqual({
      [`a${kinds - 1}`]: 1,
      [`b${kinds - 1}`]: { [`c${kinds - 1}`]: 2 },
    })
  }
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024)
})

/** V8 keeps the shape of an object, and with it the names of its fields, for some collections more. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let i = 0; i < 5; i++) gc()
}

test('P3 long names, and the texts that they come in, are not kept', () => {
  collect()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 2000; n++) {
    const name = `n${n}${'x'.repeat(20_000)}`
    expect(Object.keys(parse(`{:id 1 :${name} 2 :short${n} 3}`) as object)).toEqual(['id', name, `short${n}`])
  }
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024)
})

test('P1 a Node that makes no code of strings reads the same', () => {
  const edn = path.join(import.meta.dirname, '../../runtime/edn/index.ts')
  const script = `
    import { parse, stringify } from ${JSON.stringify(edn)}
    const form = '{:a 1 :b [2 {:c "d"}]}'
    for (let n = 0; n < ${MANY}; n++) if (stringify(parse(form)) !== form) process.exit(1)
    try { new Function('') } catch { process.stdout.write('none made') }`
  const flags = [
    '--no-warnings',
    '--disallow-code-generation-from-strings',
    '--input-type=module',
    '-e',
    script,
  ]
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('none made')
})

test('P1 numbers are written in the shortest form that reads back the same', () => {
  const written = (number: number) => (Number.isInteger(number) ? `${number}` : String(number))
  const numbers = [
    0.1,
    0.5,
    1.25,
    0.0001,
    0.00005,
    123456.7891,
    999999.9999,
    1000000.5,
    1e10 + 0.5,
    19.99,
    1.005,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 0.5,
    43690,
    43691,
    100000,
    999999999,
  ]
  for (let n = 1; n < 5000; n++) numbers.push(n / 8, n / 100, n / 7, n * 1234.5678, n * 99_991)
  for (const number of numbers) {
    for (const signed of [number, -number]) {
      const text = stringify(signed)
      expect(text).toBe(written(signed))
      expect(parse(text)).toBe(signed)
    }
  }
})
