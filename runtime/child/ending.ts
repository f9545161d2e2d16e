import type { Exit } from '../edn/fault.ts'
import { stopFrame } from '../wire/frames.ts'
import type { Outbox } from '../wire/outbox.ts'
import { climb } from './ladder.ts'
import type { Running } from './running.ts'

interface EndingOptions {
  outbox: Outbox
  /** Ends its input. */
  end: () => void
  /** Resolves with the started process; `undefined` when it could not be started. */
  running: () => Promise<Running | undefined>
  exited: Promise<Exit>
  /** Whether it knows what a frame is. Others are told by the end of their input. */
  speaks: () => boolean
  /** It has been asked to end. */
  onAsked: () => void
}

/** How a process is made to end, once or more than once. */
export class Ending {
  #deadline = Infinity
  #killed = false
  readonly #options: EndingOptions

  constructor(options: EndingOptions) {
    this.#options = options
  }

  get begun(): boolean {
    return this.#deadline !== Infinity
  }

  /** Whether its end, if it comes now, is our doing. */
  get ours(): boolean {
    return this.begun || this.#killed
  }

  /** Climbs the ladder within `graceMs`; a second time only if that means an earlier end. */
  async stop(graceMs: number, slackMs: number): Promise<Exit> {
    const { outbox, exited, speaks, end, onAsked } = this.#options
    const deadline = performance.now() + graceMs + slackMs
    if (deadline < this.#deadline) {
      this.#deadline = deadline
      const rungs = {
        ask(ms: number) {
          if (speaks()) outbox.pushFirst(stopFrame(ms))
          end()
        },
        terminate: async () => (await this.#options.running())?.signalGroup('SIGTERM'),
        kill: () => this.kill(),
        gone: exited,
      }
      const gone = climb(rungs, graceMs, slackMs)
      onAsked()
      await gone
    }
    return exited
  }

  /** Kills it and everything below it; resolves when the kill is sent. */
  async kill(): Promise<void> {
    this.#killed = true
    await (await this.#options.running())?.kill()
  }
}
