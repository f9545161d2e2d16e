/**
 * Compares the codec with JSON on equivalent values: medians of interleaved rounds, so that a busy machine slows
 * both alike. Not a test. Run with `node test/edn/bench.ts`.
 */
import { encode } from '../../runtime/edn/encode.ts'
import { parse, Reader, stringify } from '../../runtime/edn/index.ts'

const ROUNDS = 41

const request = { op: 'resize', id: 1042, path: '/img/cat.png', size: [640, 480], fit: 'cover' }
const map = Object.fromEntries(
  Array.from({ length: 1000 }, (_, i) => [
    `item-${i}`,
    { id: i, name: `the name of ${i}`, tags: ['red', 'green'], price: i * 1.25, ok: i % 3 === 0 },
  ]),
)

compare('80-byte request', request, 20_000)
compare('100 KB map', map, 4)
compare('100 KB vector of maps', Object.values(map), 4)
stream()

function compare(name: string, value: unknown, times: number): void {
  // As from a file or pipe: what was put together piece by piece is slower to go through.
  const edn = Buffer.from(stringify(value)).toString()
  const json = JSON.stringify(value)
  console.log(`${name}: ${edn.length} units of EDN, ${json.length} of JSON`)
  ratio(
    'parse',
    times,
    () => parse(edn),
    () => JSON.parse(json),
  )
  ratio(
    'stringify',
    times,
    () => flat(stringify(value)),
    () => flat(JSON.stringify(value)),
  )
  ratio(
    'encode',
    times,
    () => flat(encode(value)),
    () => flat(JSON.stringify(value)),
  )
}

/** As the wire does: bytes in chunks of 64 KB, many requests in each. */
function stream(): void {
  const edn = Buffer.from(`#wat/req [1042 ${stringify(request)}]\n`.repeat(700))
  const lines = Buffer.from((JSON.stringify({ type: 'req', id: 1042, body: request }) + '\n').repeat(700))
  console.log('700 framed requests in one chunk of bytes, JSON split by line')
  const reader = new Reader({ maxFrame: 16 * 1024 * 1024 })
  ratio(
    'read',
    1,
    () => {
      reader.push(edn)
      while (reader.next());
    },
    () => {
      for (const line of lines.toString().split('\n')) if (line !== '') JSON.parse(line)
    },
  )
}

function ratio(name: string, times: number, ours: () => void, theirs: () => void): void {
  const samples: [number[], number[]] = [[], []]
  const warm = performance.now() + 400
  while (performance.now() < warm) time(ours, times)
  for (let round = 0; round < ROUNDS; round++) {
    samples[0].push(time(ours, times))
    samples[1].push(time(theirs, times))
  }
  const [mine, other] = samples.map(median) as [number, number]
  console.log(
    `  ${name.padEnd(10)} ${mine.toFixed(2).padStart(9)} µs, JSON ${other.toFixed(2).padStart(9)} µs, ratio ${(mine / other).toFixed(2)}`,
  )
}

function time(run: () => void, times: number): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < times; i++) run()
  return Number(process.hrtime.bigint() - start) / 1000 / times
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

// A concatenated string is only paid for when it is used: make both pay.
function flat(text: string): number {
  return Number(text) + text.charCodeAt(text.length - 1)
}
