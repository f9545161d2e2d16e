import { parse, stringify } from 'wat-vm/edn'
import { OURS } from '../figure.ts'
import { interleave, rateOf } from '../rounds.ts'
import { bodyOf, plainBodyOf, type Size } from '../work.ts'

const [what, size, rounds, sliceMs] = process.argv.slice(2) as ['parse' | 'stringify', Size, string, string]

const value = bodyOf(size)
const plain = plainBodyOf(size)
// As from a pipe: a text that was put together piece by piece is slower to go through.
const edn = Buffer.from(stringify(value)).toString()
const json = Buffer.from(JSON.stringify(plain)).toString()

const pairs = {
  parse: [() => parse(edn), () => JSON.parse(json) as unknown],
  stringify: [() => flat(stringify(value)), () => flat(JSON.stringify(plain))],
} as const

const [ours, theirs] = pairs[what]
const perSecond = await interleave([contender(OURS, ours), contender('JSON', theirs)], Number(rounds) * 3)
const micros = Object.entries(perSecond).map(([name, rates]) => [name, rates.map(rate => 1e6 / rate)])
console.log(JSON.stringify(Object.fromEntries(micros)))

function contender(name: string, work: () => unknown) {
  const repeat = async (count: number) => {
    for (let i = 0; i < count; i++) work()
  }
  return { name, sample: rateOf(repeat, Number(sliceMs)) }
}

/** A text made by concatenation is only paid for when it is used: this makes both pay. */
function flat(text: string): number {
  return Number(text) + text.charCodeAt(text.length - 1)
}
