import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { WatProgram } from '../commands.ts'
import { atMost, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { interleave, rateOf } from '../rounds.ts'

const ONE_HOP = 'one hop'
const RAW_HOP = 'one raw hop'

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
    const rawContenders = depths.map(depth => {
      const raw = new RawChain(depth)
      const sample = rateOf(count => raw.exchange(count), sliceMs)
      return { name: rawNameOf(depth), sample, close: () => raw.end() }
    })
    const rates = await interleave([...contenders, ...rawContenders], rounds)
    await root.end()
    return compare(rates, depths)
  },
}

function compare(rates: Samples, depths: number[]) {
  const deep = depths.filter(depth => depth > 1)
  const samples: Samples = {
    ...levels(rates, ONE_HOP, String, nameOf, deep),
    ...levels(rates, RAW_HOP, rawNameOf, rawNameOf, deep),
  }
  return {
    samples,
    comparisons: [
      ...deep.map(depth => ({ ours: nameOf(depth), peer: ONE_HOP, target: atMost(1.3) })),
      ...deep.map(depth => ({ ours: rawNameOf(depth), peer: RAW_HOP })),
    ],
  }
}

/** What a level adds at each depth, beside the one hop that it is measured against. */
function levels(
  rates: Samples,
  hop: string,
  key: (depth: number) => string,
  name: (depth: number) => string,
  deep: number[],
): Samples {
  const micros = (depth: number) => (rates[key(depth)] ?? []).map(rate => 1e6 / rate)
  const oneHop = micros(1)
  const added = deep.map(depth => [
    name(depth),
    micros(depth).map((time, round) => (time - (oneHop[round] ?? NaN)) / (depth - 1)),
  ])
  return { [hop]: oneHop, ...(Object.fromEntries(added) as Samples) }
}

/** Programs that hand on bytes: what so many processes in a row cost with nothing else in them. */
class RawChain {
  readonly #first: ChildProcessByStdio<Writable, Readable, null>

  constructor(depth: number) {
    const link = fileURLToPath(program('raw-link.ts'))
    this.#first = spawn(process.execPath, [link, String(depth)], { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  async exchange(count: number): Promise<void> {
    const { stdin, stdout } = this.#first
    for (let i = 0; i < count; i++) {
      stdin.write(FRAME)
      await once(stdout, 'data')
    }
  }

  async end(): Promise<void> {
    this.#first.stdin.end()
    await once(this.#first, 'exit')
  }
}

/** As long as a request of 80 B; what is so short is never split. */
const FRAME = Buffer.alloc(99, 'x')

function nameOf(depth: number): string {
  return `wat, ${depth} deep`
}

function rawNameOf(depth: number): string {
  return `raw, ${depth} deep`
}
