import { parse, Reader, stringify } from 'wat-vm/edn'
import { encodeLine } from '../../../runtime/edn/encode.ts'
import { Out } from '../../../runtime/edn/out.ts'
import { OURS } from '../figure.ts'
import { interleave, rateOf } from '../rounds.ts'
import { textOf, type TextName } from '../texts.ts'

type Direction = 'parse' | 'stringify' | 'read' | 'write'

const [what, name, size, rounds, sliceMs] = process.argv.slice(2) as [
  Direction,
  TextName,
  string,
  string,
  string,
]

const value = textOf(name, Number(size))
const ednBytes = Buffer.from(stringify(value))
const jsonBytes = Buffer.from(JSON.stringify(value))
const edn = ednBytes.toString()
const json = jsonBytes.toString()

/** What a pipe gives at once. */
const CHUNK_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)
const LINE_FEED = Uint8Array.of(10)
const out = new Out()

const pairs = {
  parse: [() => parse(edn), () => JSON.parse(json) as unknown],
  stringify: [() => flat(stringify(value)), () => flat(JSON.stringify(value))],
  read: [read, () => JSON.parse(jsonBytes.toString()) as unknown],
  write: [write, () => Buffer.from(JSON.stringify(value))],
} as const

const [ours, theirs] = pairs[what]
const perSecond = await interleave([contender(OURS, ours), contender('JSON', theirs)], Number(rounds) * 3)
const millis = Object.entries(perSecond).map(([who, rates]) => [who, rates.map(rate => 1e3 / rate)])
console.log(JSON.stringify(Object.fromEntries(millis)))

/** As the wire reads. */
function read(): unknown {
  const reader = new Reader()
  for (let at = 0; at < ednBytes.length; at += CHUNK_BYTES) {
    reader.push(ednBytes.subarray(at, at + CHUNK_BYTES))
    if (reader.next()) return reader.value
  }
  throw new Error('the text holds no value')
}

/** As the wire writes. */
function write(): void {
  encodeLine(out, NOTHING, undefined, value, LINE_FEED)
  out.clear()
}

function contender(who: string, work: () => unknown) {
  const repeat = async (count: number) => {
    for (let i = 0; i < count; i++) work()
  }
  return { name: who, sample: rateOf(repeat, Number(sliceMs)) }
}

/** A text made by concatenation is only paid for when it is used: this makes both pay. */
function flat(text: string): number {
  return text.charCodeAt(0) + text.charCodeAt(text.length - 1)
}
