import { against, atLeast, atMost, type Figure, type Settings, type Target } from '../figure.ts'
import { peers, threads } from '../peers/index.ts'
import { interleave, rateOf } from '../rounds.ts'
import type { Size } from '../work.ts'

/** As many as everybody may have in flight. */
const WINDOW = 256

export const pipelined: Figure[] = [
  throughput('pipelined', '80 B', {
    'fork json': atLeast(2.5),
    worker_threads: atLeast(2.5),
    'vscode-jsonrpc': atLeast(8),
  }),
  throughput('pipelined-1k', '1 KB', { 'fork json': atLeast(1.5) }),
  throughput('pipelined-100k', '100 KB', { 'fork json': atLeast(1.5) }),
]

export const roundTrip: Figure = {
  name: 'round-trip',
  title: 'one call at a time, 80 B, round trip',
  unit: 'µs',
  async measure(settings) {
    const rates = await exchange(settings, '80 B', 1)
    const samples = Object.fromEntries(
      Object.entries(rates).map(([name, perSecond]) => [name, perSecond.map(rate => 1e6 / rate)]),
    )
    return {
      samples,
      comparisons: against(samples, { 'fork json': atMost(0.9), 'raw echo': atMost(1.15) }),
    }
  },
}

export const threadCalls: Figure = {
  name: 'thread-calls',
  title: `request/replies of 80 B, ${WINDOW} in flight, one thread`,
  unit: '/s',
  async measure(settings) {
    const samples = await exchange(settings, '80 B', WINDOW, threads)
    return { samples, comparisons: against(samples, { worker_threads: atLeast(1.5) }) }
  },
}

export const threadRoundTrip: Figure = {
  name: 'thread-round-trip',
  title: 'one call at a time to a thread, 80 B, round trip',
  unit: 'µs',
  async measure(settings) {
    const rates = await exchange(settings, '80 B', 1, threads)
    const samples = Object.fromEntries(
      Object.entries(rates).map(([name, perSecond]) => [name, perSecond.map(rate => 1e6 / rate)]),
    )
    return { samples, comparisons: against(samples, {}) }
  },
}

function throughput(name: string, size: Size, targets: Record<string, Target>): Figure {
  return {
    name,
    title: `request/replies of ${size}, ${WINDOW} in flight, one child`,
    unit: '/s',
    async measure(settings) {
      const samples = await exchange(settings, size, WINDOW)
      return { samples, comparisons: against(samples, targets) }
    },
  }
}

async function exchange({ rounds, sliceMs }: Settings, size: Size, inFlight: number, among = peers) {
  const contenders = []
  for (const peer of among) {
    const echo = await peer.open([size])
    const sample = rateOf(count => echo.exchange(size, count, inFlight), sliceMs)
    contenders.push({ name: peer.name, sample, close: () => echo.close() })
  }
  return interleave(contenders, rounds)
}
