import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { spawnProcess, type Process } from 'wat-vm'
import { OURS, type Check, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { isNode, residentMiB, tagged } from '../proc.ts'
import { interleave, type Contender } from '../rounds.ts'
import { ratio } from '../stats.ts'
import { CHUNK_BYTES } from '../work.ts'

const LEVELS = 3
const SAMPLE_MS = 100
/** So many calls are under way. */
const IN_FLIGHT = 16

/** What garbage collection makes of memory that does not grow. */
const FLAT = 1.25

const CAT = 'cat | cat | cat'
const NODE = 'Node processes that copy'
const CALLS = 'wat, calls'
/** One of them is enough: where `cat` is far ahead of what Node can do, Node is the measure. */
const LEAST = { [CAT]: 0.6, [NODE]: 0.85 }

/** Everybody is timed from the first bytes that come to the last, so no start counts. */
export const bytes: Figure = {
  name: 'bytes',
  title: `Uint8Arrays of 64 KiB up ${LEVELS} levels`,
  unit: 'MB/s',
  async measure({ rounds, quick }) {
    const total = (quick ? 16 : 1024) * 1024 ** 2
    const values = new Levels('wat-pours.ts', pour)
    const calls = new Levels('wat-hands.ts', call)
    const contenders: Contender[] = [
      { name: OURS, sample: () => values.sample(total), close: () => values.close() },
      { name: CALLS, sample: () => calls.sample(total), close: () => calls.close() },
      { name: CAT, sample: () => throughShell(`head -c ${total} /dev/zero | ${CAT}`, total) },
      { name: NODE, sample: () => throughShell(nodeCopies(total), total) },
    ]
    const samples = await interleave(contenders, rounds)
    const all = Object.entries({ [OURS]: values, [CALLS]: calls })
    return {
      samples,
      comparisons: [OURS, CALLS].flatMap(ours => [CAT, NODE].map(peer => ({ ours, peer }))),
      checks: all.flatMap(([name, { memory }]) => [
        fastEnough(name, samples),
        {
          what: `${name}: memory, 2nd half ${memory.grown().toFixed(2)} × 1st`,
          met: memory.grown() <= FLAT,
        },
      ]),
      notes: all.map(
        ([name, { memory }]) =>
          `${total / 1024 ** 2} MiB; ${name}: peak resident memory from the top down ${memory.peaks().join(', ')} MiB`,
      ),
    }
  },
}

function fastEnough(name: string, samples: Samples): Check {
  const met = Object.entries(LEAST).some(
    ([peer, least]) => ratio(samples[name] ?? [], samples[peer] ?? []) >= least,
  )
  return { what: `${name}: ≥ ${LEAST[CAT]} × cat or ≥ ${LEAST[NODE]} × Node`, met }
}

/** Gets so many chunks; tells of each as it comes. */
type Flow = (top: Process, chunks: number, onChunk: (chunk: Uint8Array) => void) => Promise<void>

const pour: Flow = async (top, chunks, onChunk) => {
  await top.stdin.send(chunks)
  let left = chunks
  for await (const chunk of top.stdout) {
    onChunk(chunk as Uint8Array)
    if (--left === 0) return
  }
}

const call: Flow = async (top, chunks, onChunk) => {
  let left = chunks
  const place = async () => {
    while (left-- > 0) onChunk((await top.call(undefined)) as Uint8Array)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, place))
}

/** Processes one above the other, which stay from sample to sample. */
class Levels {
  readonly #tag = randomUUID()
  readonly #top: Process
  readonly #flow: Flow
  /** Of the last sample: V8 finds the size of its heap as it goes, and that is no growth with the stream. */
  memory = new Memory([])

  constructor(name: string, flow: Flow) {
    this.#top = spawnProcess(program(name), { args: [String(LEVELS)], env: { WAT_BENCH_TAG: this.#tag } })
    this.#flow = flow
  }

  async sample(total: number): Promise<number> {
    await this.#flow(this.#top, 1, () => {}) // every level is there
    const memory = new Memory(tagged(`WAT_BENCH_TAG=${this.#tag}`).filter(isNode))
    const received = new Count()
    await this.#flow(this.#top, total / CHUNK_BYTES, ({ length }) => {
      received.add(length)
      memory.sample(received.bytes < total / 2 ? 0 : 1)
    })
    this.memory = memory
    return received.mbPerSecond(total)
  }

  close(): Promise<unknown> {
    return this.#top.stop()
  }
}

/** Bytes, since the first of them. */
class Count {
  bytes = 0
  #start = 0

  add(length: number): void {
    this.#start ||= performance.now()
    this.bytes += length
  }

  mbPerSecond(total: number): number {
    if (this.bytes !== total) throw new Error(`of ${total} bytes ${this.bytes} have come`)
    return total / 1000 / (performance.now() - this.#start)
  }
}

/** The peaks of some processes in both halves of a run. */
class Memory {
  readonly #peaks: [number, number][]
  readonly #pids: number[]
  #next = 0

  constructor(pids: number[]) {
    this.#pids = pids
    this.#peaks = pids.map(() => [0, 0])
  }

  sample(half: 0 | 1): void {
    if (performance.now() < this.#next) return
    this.#next = performance.now() + SAMPLE_MS
    for (const [index, pid] of this.#pids.entries()) {
      const peak = this.#peaks[index] as [number, number]
      peak[half] = Math.max(peak[half], residentMiB(pid))
    }
  }

  /** The second half's peak by the first's, of whichever grew most. */
  grown(): number {
    return Math.max(...this.#peaks.map(([first, second]) => second / first))
  }

  peaks(): string[] {
    return this.#peaks.map(([first, second]) => Math.max(first, second).toFixed(0))
  }
}

/** As many processes as there are levels: the first makes the bytes. */
function nodeCopies(total: number): string {
  const run = (name: string, ...args: unknown[]) =>
    [process.execPath, fileURLToPath(program(name)), ...args].map(word => `'${String(word)}'`).join(' ')
  const copies = Array.from({ length: LEVELS - 1 }, () => run('raw-copy.ts'))
  return [run('raw-source.ts', total), ...copies].join(' | ')
}

async function throughShell(pipeline: string, total: number): Promise<number> {
  const shell = spawn('sh', ['-c', pipeline], { stdio: ['ignore', 'pipe', 'inherit'] })
  const received = new Count()
  shell.stdout.on('data', (chunk: Buffer) => received.add(chunk.length))
  await once(shell.stdout, 'end')
  return received.mbPerSecond(total)
}
