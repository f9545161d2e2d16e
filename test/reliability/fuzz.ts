// One damaged stream at a time for the codec, for a serving wat-vm and for the parent of a hostile child.
import { Tagged, parseAll, Reader, stringify } from '../../runtime/edn/index.ts'
import { toFrame } from '../../runtime/wire/frames.ts'
import type { Lab } from '../support/lab.ts'
import { readAll } from '../support/read-all.ts'
import { damaged } from './damage.ts'
import { Random } from './random.ts'

/** One damaged stream through the codec and the frame vocabulary, split at random. */
export function fuzzCodec(seed: number): void {
  const random = new Random(seed)
  const bytes = damaged(random)
  const split = [...pieces(bytes, random)]
  const whole = saidOf([bytes], Infinity)
  // However it is split, the same values and the same errors come out of it.
  const again = saidOf(split, Infinity)
  if (!same(whole, again))
    throw new Error(`split differently, read differently: ${whole.join()} ${again.join()}`)
  // And under a cap nothing comes out of the rest of a form that was refused.
  const capped = [saidOf([bytes], CAP_BYTES), saidOf(split, CAP_BYTES)]
  if (whole.includes('malformed')) return
  for (const values of capped) {
    const strange = values.filter(value => value !== 'too-large' && !whole.includes(value))
    if (strange.length > 0) throw new Error(`read from what was refused: ${strange.join()}`)
  }
}

const CAP_BYTES = 512

/** One damaged stream into the stdin of a wat-vm that serves: it ends in order and says only records. */
export async function fuzzServer(lab: Lab, seed: number): Promise<void> {
  const bytes = damaged(new Random(seed))
  const { code, signal, stdout, stderr } = await lab.run(lab.program(ECHO), { input: bytes })
  if (signal !== null || ![0, 1, 65].includes(code ?? -1))
    throw new Error(`ended with ${code ?? signal}: ${stderr}`)
  parseAll(stdout)
  for (const record of parseAll(stderr)) {
    if (!(record instanceof Tagged)) throw new Error(`no record: ${stringify(record)}`)
  }
}

/** A child that writes damaged frames: its parent and its sibling go on working. */
export async function fuzzParent(lab: Lab, seed: number): Promise<void> {
  const text = Buffer.from(damaged(new Random(seed))).toString('base64')
  const child = lab.program(HOSTILE.replace('TEXT', text))
  const { code, stdout, stderr } = await lab.run(lab.program(PARENT), { args: [child, lab.program(ECHO)] })
  if (code !== 0 || stdout !== '"alive"\n')
    throw new Error(`the parent ended with ${code}: ${stdout} ${stderr}`)
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

function saidOf(chunks: Iterable<Uint8Array>, maxFrame: number): string[] {
  const said: string[] = []
  readAll(
    new Reader({ maxFrame }),
    chunks,
    value => {
      toFrame(value)
      said.push(stringify(value))
    },
    ({ code }) => said.push(code),
  )
  return said
}

function same(some: string[], others: string[]): boolean {
  return some.length === others.length && some.every((text, i) => text === others[i])
}

function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + random.below(random.below(4) === 0 ? 200 : 7)
    yield bytes.subarray(at, next)
    at = next
  }
}
