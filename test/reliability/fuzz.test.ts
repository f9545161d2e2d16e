import { fuzzCodec, fuzzParent, fuzzServer } from './fuzz.ts'
import { describe, expect, it } from '../support/lab.ts'

/** How long each of the three runs; `npm run fuzz` gives them minutes. */
const ms = Number(process.env.FUZZ_SECONDS ?? 1.2) * 1000
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)

/** Runs one seed after another until the time is over; a failure names the seed to replay. */
async function fuzz(one: (seed: number) => void | Promise<void>): Promise<number> {
  let rounds = 0
  for (const end = performance.now() + ms; performance.now() < end; rounds++) {
    try {
      await one(seed + rounds)
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed + rounds}`, { cause: error })
    }
  }
  return rounds
}

describe('damaged frames', { timeout: ms + 60_000 }, () => {
  it('P3 P11 give values or WatErrors, the same however they are split', async () => {
    expect(await fuzz(fuzzCodec)).toBeGreaterThan(100)
  })

  it('P11 P19 a server ends in order and says only records', async ({ lab }) => {
    expect(await fuzz(each => fuzzServer(lab, each))).toBeGreaterThan(2)
  })

  it('P32 from a child leave its parent and its sibling working', async ({ lab }) => {
    expect(await fuzz(each => fuzzParent(lab, each))).toBeGreaterThan(1)
  })
})
