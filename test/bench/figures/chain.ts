import { WatProgram } from '../commands.ts'
import { atMost, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { interleave, rateOf } from '../rounds.ts'

const ONE_HOP = 'one hop'

export const chain: Figure = {
  name: 'chain',
  title: 'added latency per level of a chain, one call at a time',
  unit: 'µs',
  async measure({ rounds, sliceMs, quick }) {
    const depths = quick ? [1, 2, 4] : [1, 2, 4, 8, 16]
    const root = new WatProgram(program('wat-chain.ts'))
    const contenders = depths.map(depth => ({
      name: String(depth),
      sample: rateOf(async count => void (await root.ask([depth, count])), sliceMs),
    }))
    const rates = await interleave(contenders, rounds)
    await root.end()
    return compare(rates, depths)
  },
}

function compare(rates: Samples, depths: number[]) {
  const micros = (depth: number) => (rates[String(depth)] ?? []).map(rate => 1e6 / rate)
  const oneHop = micros(1)
  const samples: Samples = { [ONE_HOP]: oneHop }
  const deep = depths.filter(depth => depth > 1)
  for (const depth of deep) {
    samples[nameOf(depth)] = micros(depth).map((time, round) => (time - (oneHop[round] ?? NaN)) / (depth - 1))
  }
  return {
    samples,
    comparisons: deep.map(depth => ({ ours: nameOf(depth), peer: ONE_HOP, target: atMost(1.3) })),
  }
}

function nameOf(depth: number): string {
  return `wat, ${depth} deep`
}
