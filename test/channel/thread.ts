// A thread of the tests: workerData says what it does with a channel, and what it has to tell it posts.
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openChannel } from '../../runtime/channel/index.ts'
import type { Job, Told } from './jobs.ts'
import { fill, matches, mix } from './message.ts'

const job = workerData as Job
const channel = openChannel(job.buffer)
const nap = new Int32Array(new SharedArrayBuffer(4))

const jobs: Record<Job['does'], () => Promise<void> | void> = {
  /** Writes all messages, in the given way. */
  async write() {
    const { pattern, count = 0, way, pauses = 0 } = job
    const writer = channel.writer()
    const into = new Uint8Array(pattern.most)
    tell({ is: 'ready' })
    for (let index = 0; index < count; index++) {
      pause(index, pauses)
      const message = fill(pattern, index, into)
      if (way === 'await') await writer.write(message)
      else if (way === 'spin') while (writer.tryWrite(message) === 'full') {}
      else writer.writeSync(message)
    }
    writer.close()
    tell({ is: 'wrote', count })
  },

  /** Reads to the end, in the given way, and looks at every byte. */
  async read() {
    const { pattern, way, pauses = 0, lossy = false } = job
    const reader = channel.reader({ lossy })
    const into = new Uint8Array(pattern.most)
    let read = 0
    let wrong = 0
    const take = (bytes: Uint8Array, length: number) => {
      if (!matches(pattern, read + reader.missed, bytes, length)) wrong++
      read++
      pause(read, pauses)
    }
    tell({ is: 'ready' })
    if (way === 'await') for await (const bytes of reader) take(bytes, bytes.length)
    else if (way === 'spin')
      while (!reader.ended) for (let n; (n = reader.tryReadInto(into)) >= 0;) take(into, n)
    else
      for (;;) {
        const length = reader.tryReadInto(into)
        const bytes = length < 0 ? reader.readSync() : into
        if (!bytes) break
        take(bytes, length < 0 ? bytes.length : length)
      }
    tell({ is: 'read', read, wrong, missed: reader.missed })
    reader.close()
  },

  /** Claims what it may and is stuck then: to be terminated. */
  async hang() {
    const { pattern, count = 0 } = job
    if (job.way === 'await') {
      channel.reader()
      tell({ is: 'ready' })
    } else {
      const writer = channel.writer()
      const into = new Uint8Array(pattern.most)
      for (let index = 0; index < count; index++) writer.writeSync(fill(pattern, index, into))
      tell({ is: 'ready' })
    }
    await delay(60_000)
  },

  /** Reads and writes whatever there is until it is terminated, anywhere in the midst of it. */
  churn() {
    const { pattern } = job
    const into = new Uint8Array(pattern.most)
    if (job.way === 'await') {
      const reader = channel.reader()
      tell({ is: 'ready' })
      for (;;) reader.readSync()
    }
    const writer = channel.writer()
    tell({ is: 'ready' })
    for (let index = 0; ; index++) writer.writeSync(fill(pattern, index, into))
  },

  /** Says how its claims end. */
  claim() {
    for (const claim of ['writer', 'reader'] as const) {
      try {
        channel[claim]()
        tell({ is: 'claimed', claim, code: 'none' })
      } catch (error) {
        tell({ is: 'claimed', claim, code: (error as { code: string }).code })
      }
    }
  },
}

await jobs[job.does]()

/** About ten messages in `every` are followed by a pause of up to so many ms, or by some spinning. */
function pause(index: number, mostMs: number): void {
  if (mostMs === 0) return
  const luck = mix(index, job.pattern.seed + job.number) % (job.every ?? 10_000)
  if (luck < 5) Atomics.wait(nap, 0, 0, (luck / 5) * mostMs)
  else if (luck < 10) for (let spin = 0; spin < luck * 1000; spin++) Atomics.load(nap, 0)
}

function tell(told: Told): void {
  parentPort?.postMessage(told)
}
