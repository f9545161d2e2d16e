import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Pattern } from './message.ts'

/** What a thread of the tests does (thread.ts). */
export interface Job {
  does: 'write' | 'read' | 'hang' | 'churn' | 'claim'
  buffer: SharedArrayBuffer
  pattern: Pattern
  /** Among those of a test; makes its pauses its own. */
  number: number
  way?: 'await' | 'block' | 'spin'
  count?: number
  /** The longest pause in ms. */
  pauses?: number
  /** Among how many messages there are ten pauses, about. Default 10,000. */
  every?: number
  lossy?: boolean
}

export type Told =
  | { is: 'ready' }
  | { is: 'wrote'; count: number }
  | { is: 'read'; read: number; wrong: number; missed: number }
  | { is: 'claimed'; claim: 'writer' | 'reader'; code: string }

export type Of<Is extends Told['is']> = Extract<Told, { is: Is }>

const running = new Set<Thread>()

/** For the end of a test: what is stuck does not outlive it. */
export async function endThreads(): Promise<void> {
  await Promise.all([...running].map(thread => thread.kill()))
}

/** A thread at work. */
export class Thread {
  readonly #worker: Worker
  readonly #told: Told[] = []
  readonly #gone: Promise<unknown>
  /** As `releaseThread` takes it: the worker itself forgets it at its end. */
  readonly id: number
  #look = () => {}
  #failure: unknown

  constructor(job: Partial<Job> & Pick<Job, 'does' | 'buffer'>) {
    const full: Job = { pattern: { seed: 1, most: 64 }, number: 0, way: 'block', ...job }
    this.#worker = new Worker(new URL('thread.ts', import.meta.url), { workerData: full })
    this.id = this.#worker.threadId
    this.#worker.on('message', (told: Told) => {
      this.#told.push(told)
      this.#look()
    })
    this.#worker.on('error', error => {
      this.#failure = error
      this.#look()
    })
    running.add(this)
    this.#gone = once(this.#worker, 'exit').then(() => {
      running.delete(this)
      this.#look()
    })
  }

  /** What it tells of this kind, the first that has not been asked for. */
  async tells<Is extends Told['is']>(is: Is): Promise<Of<Is>> {
    let alive = true
    void this.#gone.then(() => (alive = false))
    for (;;) {
      const index = this.#told.findIndex(told => told.is === is)
      if (index >= 0) return this.#told.splice(index, 1)[0] as Of<Is>
      if (this.#failure || !alive)
        throw new Error(`a thread ended before it told "${is}"`, { cause: this.#failure })
      await new Promise<void>(resolve => (this.#look = resolve))
    }
  }

  /** Resolves when the thread is gone. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
    await this.#gone
  }

  get exited(): Promise<unknown> {
    return this.#gone
  }
}
