import { fuzzCodec, fuzzParent, fuzzServer } from './fuzz.ts'
import { describe, it } from '../support/lab.ts'

/** How long each of the three runs; `npm run fuzz` gives them minutes. */
const ms = Number(process.env.FUZZ_SECONDS ?? 1.2) * 1000
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)

/** Runs one seed after another until the time is over, and so many at least; a failure names the seed to replay. */
async function fuzz(one: (seed: number) => void | Promise<void>, least: number): Promise<void> {
  const end = performance.now() + ms
  for (let rounds = 0; rounds < least || performance.now() < end; rounds++) {
    try {
      await one(seed + rounds)
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed + rounds}`, { cause: error })
    }
  }
}

describe('damaged frames', { timeout: ms + 60_000 }, () => {
  it('P3 P11 give values or WatErrors, the same however they are split', async () => {
    await fuzz(fuzzCodec, 101)
  })

  it('P11 P19 a server ends in order and says only records', async ({ lab }) => {
    await fuzz(each => fuzzServer(lab, each), 3)
  })

  it('P32 from a child leave its parent and its sibling working', async ({ lab }) => {
    await fuzz(each => fuzzParent(lab, each), 2)
  })
})
