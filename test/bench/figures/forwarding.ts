import { spawnProcess } from 'wat-vm'
import { atLeast, type Figure, type Target } from '../figure.ts'
import { byCalls } from '../peers/by-calls.ts'
import { program } from '../peers/peer.ts'
import { wat } from '../peers/wat.ts'
import { interleave, rateOf } from '../rounds.ts'
import { bodyOf, type Size } from '../work.ts'

const DIRECT = 'the same without it'
const FORWARDED = 'forwarded'
const REWRITTEN = 'read and written anew'

export const forwarding: Figure[] = [
  through('forwarding', '80 B', 256, atLeast(0.7)),
  through('forwarding-100k', '100 KB', 16, atLeast(0.8)),
]

function through(name: string, size: Size, inFlight: number, target: Target): Figure {
  return {
    name,
    title: `request/replies of ${size} through one level, ${inFlight} in flight`,
    unit: '/s',
    async measure({ rounds, sliceMs }) {
      const contenders = []
      for (const peer of [{ ...wat, name: DIRECT }, by('forward', FORWARDED), by('rewrite', REWRITTEN)]) {
        const echo = await peer.open([size])
        const sample = rateOf(count => echo.exchange(size, count, inFlight), sliceMs)
        contenders.push({ name: peer.name, sample, close: () => echo.close() })
      }
      const samples = await interleave(contenders, rounds)
      return {
        samples,
        comparisons: [
          { ours: FORWARDED, peer: DIRECT, target },
          { ours: REWRITTEN, peer: DIRECT },
        ],
      }
    },
  }
}

function by(how: string, name: string) {
  return byCalls(
    name,
    () => {
      const child = spawnProcess(program('wat-forwards.ts'), { args: [how] })
      return { call: body => child.call(body), close: () => child.stop() }
    },
    size => bodyOf(size),
  )
}
