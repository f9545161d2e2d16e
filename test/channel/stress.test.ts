import { afterEach, expect, test } from 'vitest'
import { endThreads } from './jobs.ts'
import { faults, stress } from './stressing.ts'

afterEach(endThreads)

test.each([
  { messages: 200_000, seed: 1 },
  { messages: 100_000, seed: 2, bytes: 1024 },
])('P42 readers of different speeds lose nothing, tear nothing and keep the order: %o', async settings => {
  const told = await stress(settings)
  expect(faults(settings.messages, told)).toEqual([])
  expect(told).toHaveLength(4)
})
