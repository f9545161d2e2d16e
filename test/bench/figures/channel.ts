import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { createChannel } from 'wat-vm/channel'
import { against, atLeast, OURS, type Figure } from '../figure.ts'
import { program } from '../peers/peer.ts'
import type { Ends, Task } from '../programs/channel-thread.ts'
import { interleave, rateOf } from '../rounds.ts'
import { median } from '../stats.ts'

const MESSAGE_BYTES = 64

/** What one message may take on its way while both sides spin. */
const LATENCY_NS = 1000

/** Of each sample of the latency. */
const ROUND_TRIPS = 20_000

const message = new Uint8Array(MESSAGE_BYTES).fill(7)

export const channelStream: Figure = {
  name: 'channel-stream',
  title: `one-way stream of ${MESSAGE_BYTES} B messages to another thread`,
  unit: '/s',
  async measure({ rounds, sliceMs }) {
    const pair = new Pair()
    const flows: Record<string, (count: number) => Promise<void>> = {
      [OURS]: count => pair.run('drain channel', count, () => pair.write(count)),
      'wat, every message awaited': count =>
        pair.run('drain channel, awaited', count, () => pair.await(count)),
      postMessage: count => pair.run('drain posts', count, () => pair.post(count)),
      MessageChannel: count => pair.run('drain port', count, () => pair.postToPort(count)),
    }
    const contenders = Object.entries(flows).map(([name, flow]) => ({ name, sample: rateOf(flow, sliceMs) }))
    const samples = await pair.during(() => interleave(contenders, rounds))
    return { samples, comparisons: against(samples, { postMessage: atLeast(5), MessageChannel: atLeast(5) }) }
  },
}

export const channelLatency: Figure = {
  name: 'channel-latency',
  title: `one way of a ${MESSAGE_BYTES} B message to another thread, half of a round trip, median`,
  unit: 'ns',
  async measure({ rounds, quick }) {
    const pair = new Pair()
    const count = quick ? 200 : ROUND_TRIPS
    const exchanges: Record<string, () => Promise<number>> = {
      [OURS]: () => pair.timed('echo channel', count, () => pair.exchange()),
      'MessageChannel, both sides spin': () => pair.timed('echo port', count / 10, () => pair.exchangePort()),
      'postMessage, by events': () => pair.timed('echo posts', count / 10, () => pair.exchangePost()),
    }
    const contenders = Object.entries(exchanges).map(([name, sample]) => ({ name, sample }))
    const samples = await pair.during(() => interleave(contenders, rounds))
    const ours = median(samples[OURS] ?? [])
    return {
      samples,
      comparisons: against(samples, {}),
      checks: [
        { what: `one way takes ${ours.toFixed(0)} ns, wanted ≤ ${LATENCY_NS}`, met: ours <= LATENCY_NS },
      ],
    }
  },
}

/** Two threads with everything between them that is measured. */
class Pair {
  readonly #down = createChannel()
  readonly #up = createChannel()
  readonly #writer = this.#down.writer()
  readonly #reader = this.#up.reader()
  readonly #ports = new MessageChannel()
  readonly #into = new Uint8Array(MESSAGE_BYTES)
  readonly #worker: Worker
  readonly #inbox: unknown[] = []
  #take: ((told: unknown) => void) | undefined

  constructor() {
    const workerData: Ends = { down: this.#down.buffer, up: this.#up.buffer, port: this.#ports.port2 }
    this.#worker = new Worker(program('channel-thread.ts'), { workerData, transferList: [workerData.port] })
    this.#worker.on('message', told => {
      const take = this.#take
      this.#take = undefined
      if (take) take(told)
      else this.#inbox.push(told)
    })
  }

  /** Ends the other thread when it is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      this.#ports.port1.close()
      await this.#worker.terminate()
    }
  }

  /** Has the other thread do its part, does this one's, and waits until the other has done so often. */
  async run(task: Task, count: number, work: () => unknown): Promise<void> {
    this.#worker.postMessage({ task, count })
    await this.#told() // "ready"
    await work()
    const done = await this.#told()
    if (done !== count) throw new Error(`of ${count} messages ${String(done)} have come`)
  }

  write(count: number): void {
    for (let i = 0; i < count; i++)
      if (this.#writer.tryWrite(message) !== 'sent') this.#writer.writeSync(message)
  }

  async await(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#writer.write(message)
  }

  post(count: number): void {
    for (let i = 0; i < count; i++) this.#worker.postMessage(message)
  }

  postToPort(count: number): void {
    for (let i = 0; i < count; i++) this.#ports.port1.postMessage(message)
  }

  /** Half of the median round trip, in ns. */
  async timed(task: Task, count: number, exchange: () => void | Promise<unknown>): Promise<number> {
    const times: number[] = []
    await this.run(task, count, async () => {
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const back = exchange()
        if (back) await back
        times.push(performance.now() - start)
      }
    })
    return (median(times) / 2) * 1e6
  }

  exchange(): void {
    this.#writer.tryWrite(message)
    while (this.#reader.tryReadInto(this.#into) < 0) {}
  }

  exchangePort(): void {
    this.#ports.port1.postMessage(message)
    while (!receiveMessageOnPort(this.#ports.port1)) {}
  }

  exchangePost(): Promise<unknown> {
    this.#worker.postMessage(message)
    return this.#told()
  }

  #told(): Promise<unknown> {
    if (this.#inbox.length > 0) return Promise.resolve(this.#inbox.shift())
    return new Promise(resolve => (this.#take = resolve))
  }
}
