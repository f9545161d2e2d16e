// Feeds damaged frames to the codec, to a serving wat-vm and to the parent of a hostile child. Anything
// but a value, a WatError or an orderly exit is a failure: node test/reliability/fuzz.ts [--seconds 20] [--seed 1]
import { parseArgs } from 'node:util'
import { Tagged, parseAll, Reader, stringify } from '../../runtime/edn/index.ts'
import { WatError } from '../../runtime/error.ts'
import { toFrame } from '../../runtime/wire/frames.ts'
import { run, program } from '../support/lab.ts'
import { damaged } from './damage.ts'
import { Random } from './random.ts'

/** One damaged stream through the codec and the frame vocabulary, split at random. */
export function fuzzCodec(seed: number): void {
  const random = new Random(seed)
  const bytes = damaged(random)
  const whole = readAll([bytes])
  const split = readAll(pieces(bytes, random))
  // However it is split, the same values and the same errors come out of it.
  if (stringify(whole) !== stringify(split)) throw new Error(`split differently, read differently: ${whole} ${split}`)
}

/** One damaged stream into the stdin of a wat-vm that serves: it ends in order and says only records. */
export async function fuzzServer(seed: number): Promise<void> {
  const bytes = damaged(new Random(seed))
  const { code, signal, stdout, stderr } = await run(program('echo.ts', ECHO), { input: bytes })
  if (signal !== null || ![0, 1, 65].includes(code ?? -1)) throw new Error(`ended with ${code ?? signal}: ${stderr}`)
  parseAll(stdout)
  for (const record of parseAll(stderr)) {
    if (!(record instanceof Tagged)) throw new Error(`no record: ${stringify(record)}`)
  }
}

/** A child that writes damaged frames: its parent and its sibling go on working. */
export async function fuzzParent(seed: number): Promise<void> {
  const text = Buffer.from(damaged(new Random(seed))).toString('base64')
  const child = program('hostile.ts', HOSTILE.replace('TEXT', text))
  const { code, stdout, stderr } = await run(program('parent.ts', PARENT), { args: [child, program('echo.ts', ECHO)] })
  if (code !== 0 || stdout !== '"alive"\n') throw new Error(`the parent ended with ${code}: ${stdout} ${stderr}`)
}

const ECHO = `import { serve } from 'wat-vm'
await serve(body => body)
`

const HOSTILE = `import { writeSync } from 'node:fs'
writeSync(4, Buffer.from('TEXT', 'base64'))
`

const PARENT = `import { println, self, spawnProcess } from 'wat-vm'
const hostile = spawnProcess(self.args[0])
const calls = [1, 2, 3].map(n => hostile.call(n).catch(error => error.code))
const sibling = spawnProcess(self.args[1])
await hostile.exited
await Promise.all(calls)
await println(await sibling.call('alive'))
`

function readAll(chunks: Iterable<Uint8Array>): unknown[] {
  const seen: unknown[] = []
  const reader = new Reader({ maxFrame: 4096 })
  const take = () => {
    for (;;) {
      try {
        if (!reader.next()) return
        toFrame(reader.value)
        seen.push(stringify(reader.value))
      } catch (error) {
        if (!(error instanceof WatError)) throw error
        seen.push(error.code)
      }
    }
  }
  for (const chunk of chunks) {
    reader.push(chunk)
    take()
  }
  reader.end()
  take()
  return seen
}

function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + random.below(random.below(4) === 0 ? 200 : 7)
    yield bytes.subarray(at, next)
    at = next
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
  })
  const end = performance.now() + Number(values.seconds) * 1000
  let seed = Number(values.seed)
  const done = { codec: 0, server: 0, parent: 0 }
  while (performance.now() < end) {
    try {
      for (let n = 0; n < 500; n++, done.codec++) fuzzCodec(seed + n)
      await fuzzServer(seed)
      done.server++
      await fuzzParent(seed)
      done.parent++
    } catch (error) {
      console.error(`seed ${seed} and the 500 behind it:`, error)
      process.exitCode = 1
      break
    }
    seed += 500
  }
  console.log(`from seed ${values.seed}: ${done.codec} damaged streams read, ${done.server} served, ${done.parent} from a child`)
}
