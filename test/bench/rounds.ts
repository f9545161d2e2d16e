import type { Samples } from './figure.ts'

/** Somebody who is measured beside others. */
export interface Contender {
  name: string
  /** One sample. The first one warms up and is dropped. */
  sample: () => Promise<number>
  close?: () => Promise<unknown>
}

/** A B C A B C …: whatever else the machine does meets everybody alike. */
export async function interleave(contenders: Contender[], rounds: number): Promise<Samples> {
  const samples: Samples = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  try {
    for (const contender of contenders) await contender.sample()
    for (let round = 0; round < rounds; round++) {
      for (const { name, sample } of contenders) samples[name]?.push(await sample())
    }
  } finally {
    for (const contender of contenders) await contender.close?.()
  }
  return samples
}

/**
 * Samples the rate of `work` per second. The first call warms it up and finds how much of it fills a
 * slice; every later one does just that much.
 */
export function rateOf(work: (count: number) => Promise<void>, sliceMs: number): () => Promise<number> {
  let count = 0
  const timed = async (times: number) => {
    const start = performance.now()
    await work(times)
    return performance.now() - start
  }
  return async () => {
    if (count > 0) return (count / (await timed(count))) * 1000
    await work(1) // whatever has to start first, starts
    const warm = performance.now() + 2 * sliceMs
    let ms = await timed((count = 1))
    while (ms < sliceMs / 2 || performance.now() < warm) {
      count = Math.max(1, Math.ceil((count * sliceMs) / Math.max(ms, sliceMs / 4)))
      ms = await timed(count)
    }
    count = Math.max(1, Math.round((count * sliceMs) / ms))
    return (count / ms) * 1000
  }
}
