import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { spawnProcess } from 'wat-vm'
import { OURS, type Figure } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { isNode, residentMiB, tagged } from '../proc.ts'

const LEVELS = 3
const CHUNK_BYTES = 64 * 1024
const SAMPLE_MS = 100

/** What garbage collection makes of memory that does not grow. */
const FLAT = 1.25

export const bytes: Figure = {
  name: 'bytes',
  title: `a stream of Uint8Array values through ${LEVELS} levels`,
  unit: 'MB/s',
  async measure({ quick }) {
    const total = (quick ? 16 : 1024) * 1024 ** 2
    const cat = await throughCat(total)
    const { mbPerSecond, grown, peaks } = await throughWat(total)
    return {
      samples: { [OURS]: [mbPerSecond], 'cat | cat | cat': [cat] },
      comparisons: [{ ours: OURS, peer: 'cat | cat | cat' }],
      checks: [
        { what: `memory flat: second half's peak ${grown.toFixed(2)} × the first's`, met: grown <= FLAT },
      ],
      notes: [`${total / 1024 ** 2} MiB; peak resident memory by level: ${peaks.join(', ')} MiB`],
    }
  },
}

async function throughWat(total: number) {
  const tag = randomUUID()
  const first = spawnProcess(program('wat-relay.ts'), {
    args: [String(LEVELS)],
    env: { WAT_BENCH_TAG: tag },
  })
  await first.stdout.recv() // every level is there
  const memory = new Memory(tagged(`WAT_BENCH_TAG=${tag}`).filter(isNode))
  const chunk = new Uint8Array(CHUNK_BYTES).map((_, index) => (index * 31) % 251)
  // V8 finds the size of its heap as it goes: that takes some 600 MiB of values, and is no growth with the stream.
  for (let sent = 0; sent < total; sent += CHUNK_BYTES) await first.stdin.send(chunk)
  const start = performance.now()
  for (let sent = 0; sent < total; sent += CHUNK_BYTES) {
    await first.stdin.send(chunk)
    memory.sample(sent < total / 2 ? 0 : 1)
  }
  void first.stdin.end()
  const received: unknown = await first.stdout.recv()
  const ms = performance.now() - start
  if (received !== 2 * total) throw new Error(`of ${2 * total} bytes ${String(received)} have come`)
  await first.exited
  return { mbPerSecond: total / 1000 / ms, grown: memory.grown(), peaks: memory.peaks() }
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

async function throughCat(total: number): Promise<number> {
  const pipeline = Array.from({ length: LEVELS }, () => 'cat').join(' | ')
  const child = spawn('sh', ['-c', `${pipeline} >/dev/null`], { stdio: ['pipe', 'ignore', 'inherit'] })
  const chunk = Buffer.alloc(CHUNK_BYTES, 1)
  const start = performance.now()
  for (let sent = 0; sent < total; sent += CHUNK_BYTES) {
    if (!child.stdin.write(chunk)) await once(child.stdin, 'drain')
  }
  const exit = once(child, 'exit')
  child.stdin.end()
  await exit
  return total / 1000 / (performance.now() - start)
}
