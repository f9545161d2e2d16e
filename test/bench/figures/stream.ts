import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { spawnProcess } from 'wat-vm'
import { against, atLeast, OURS, type Figure } from '../figure.ts'
import { program } from '../peers/peer.ts'
import { interleave, rateOf } from '../rounds.ts'
import { bodyOf, plainBodyOf } from '../work.ts'

/** Sends so many values; resolves when the other end, asked with `null`, says that it has them all. */
interface Stream {
  name: string
  flow: (count: number) => Promise<void>
  close: () => Promise<unknown>
}

export const stream: Figure = {
  name: 'stream',
  title: 'one-way stream of 80 B values, Sender to Receiver',
  unit: '/s',
  async measure({ rounds, sliceMs }) {
    const streams = [wat(), watPatient(), forked(), thread()]
    const contenders = streams.map(({ name, flow, close }) => ({
      name,
      sample: rateOf(flow, sliceMs),
      close,
    }))
    const samples = await interleave(contenders, rounds)
    return { samples, comparisons: against(samples, { 'fork json': atLeast(4) }) }
  },
}

/** As fast as backpressure lets it: only a full pipe is waited for. */
function wat(): Stream {
  const child = spawnProcess(program('wat-sink.ts'))
  const value = bodyOf('80 B')
  return {
    name: OURS,
    async flow(count) {
      for (let i = 0; i < count; i++) if (child.stdin.trySend(value) === 'full') await child.stdin.send(value)
      await child.stdin.send(null)
      expectAll(await child.stdout.recv(), count)
    },
    close: () => child.stop(),
  }
}

/** The simplest program there is: every send is awaited, so every value is a write of its own. */
function watPatient(): Stream {
  const child = spawnProcess(program('wat-sink.ts'))
  const value = bodyOf('80 B')
  return {
    name: 'wat, every send awaited',
    async flow(count) {
      for (let i = 0; i < count; i++) await child.stdin.send(value)
      await child.stdin.send(null)
      expectAll(await child.stdout.recv(), count)
    },
    close: () => child.stop(),
  }
}

function forked(): Stream {
  const child = fork(program('fork-sink.ts'), { serialization: 'json' })
  const value = plainBodyOf('80 B') as object
  return {
    name: 'fork json',
    async flow(count) {
      for (let i = 0; i < count; i++) {
        let taken = () => {}
        if (!child.send(value, () => taken())) await new Promise<void>(resolve => (taken = resolve))
      }
      child.send('end')
      expectAll((await once(child, 'message'))[0], count)
    },
    close() {
      child.disconnect()
      return once(child, 'exit')
    },
  }
}

/** Has no backpressure at all: everything is queued at once. */
function thread(): Stream {
  const worker = new Worker(program('worker-sink.ts'))
  const value = plainBodyOf('80 B')
  return {
    name: 'worker_threads',
    async flow(count) {
      for (let i = 0; i < count; i++) worker.postMessage(value)
      worker.postMessage('end')
      expectAll((await once(worker, 'message'))[0], count)
    },
    close: () => worker.terminate(),
  }
}

function expectAll(received: unknown, count: number): void {
  if (received !== count) throw new Error(`of ${count} values ${String(received)} have come`)
}
