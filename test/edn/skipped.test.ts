import { describe, expect, test } from 'vitest'
import { Reader } from '../../runtime/edn/index.ts'
import { readAll } from '../support/read-all.ts'

function readIn(text: string, size: number): unknown[] {
  const seen: unknown[] = []
  const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
    Buffer.from(text.slice(n * size, (n + 1) * size)),
  )
  readAll(
    new Reader({ maxFrame: 512 }),
    chunks,
    value => seen.push(value),
    error => seen.push(error.code),
  )
  return seen
}

describe('P12 behind a form that is too large the next one is read, whatever it began with', () => {
  const long = 'a'.repeat(1000)
  test.each([
    ['a discarded symbol', `#_${long} 7 8`, [7, 8]],
    ['one with # in it', `#_i${'#'.repeat(1000)} 7`, [7]],
    ['two discards', `#_#_${long} 6 7`, [7]],
    ['a discarded tag', `#_#${long} 6 7`, [7]],
    ['a tag', `#${long} 6 7`, [7]],
    ['many discards', `${'#_'.repeat(400)}${' 1'.repeat(400)} 7 8`, [7, 8]],
    ['a discard in a vector', `[#_${long} 7] 8`, [8]],
  ])('P12 %s, in pieces of any size', (_, text, behind) => {
    for (const size of [text.length, 600, 513, 100, 64, 7, 3, 2, 1])
      expect([size, readIn(text, size)]).toEqual([size, ['too-large', ...behind]])
  })
})
