import fc from 'fast-check'
import { expect, vi } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import type { World } from './world.ts'

// fast-check prints seed and path of a failure; WAT_SEED replays it.
const seed = process.env.WAT_SEED === undefined ? Date.now() : Number(process.env.WAT_SEED)
/** How long programs are played; `npm run fuzz` asks for more. */
const seconds = process.env.FUZZ_SECONDS === undefined ? 3 : Number(process.env.FUZZ_SECONDS)

/** Playing is cut off when its seconds are over; a failure is made small after that. */
export const PLAY_TIMEOUT_MS = (seconds + 120) * 1000

/** Plays random programs of such steps in random settings, one after another. No rejection may be left to nobody. */
export async function playAny<Step, Setting>(
  step: fc.Arbitrary<Step>,
  setting: fc.Arbitrary<Setting>,
  play: (steps: Step[], setting: Setting) => Promise<void>,
): Promise<void> {
  const steps = fc.array(step, { maxLength: 80, size: 'max' })
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', note)
  try {
    await fc.assert(
      fc.asyncProperty(steps, setting, async (steps, setting) => {
        await play(steps, setting)
        expect(unhandled.splice(0)).toEqual([])
      }),
      {
        seed,
        numRuns: 1_000_000,
        interruptAfterTimeLimit: seconds * 1000,
        markInterruptAsFailure: false,
      },
    )
  } finally {
    process.off('unhandledRejection', note)
  }
}

/** Something happens, or time passes: what may be done between two other steps. */
export type Pause = { what: 'wait' } | { what: 'clock'; ms: number }

export const wait = fc.constant({ what: 'wait' as const })
export const clock = fc.record({ what: fc.constant('clock' as const), ms: fc.nat(40) })

export async function pause(world: World, step: Pause): Promise<void> {
  if (step.what === 'clock') vi.advanceTimersByTime(step.ms)
  else if (world.chance(0.3)) await world.rest()
  else for (let n = 0; n < 5; n++) await Promise.resolve()
}

/** One that calls: what it waits for, what it will give up, and what came out wrong. */
export class Caller {
  /** Each settles when what it waits for has. */
  readonly promises: Promise<unknown>[] = []
  /** What is wrong with how its calls have settled. */
  readonly wrongs: unknown[] = []
  readonly #aborts: { controller: AbortController; at: number }[] = []

  /** Waits for what it asked for; `reply` and `error` say what is wrong with how it settles, if anything is. */
  follow(asked: Promise<any>, reply: (reply: any) => unknown, error: (error: WatError) => unknown): void {
    const note = (wrong: unknown) => void (wrong !== undefined && this.wrongs.push(wrong))
    this.promises.push(asked.then(reply, error).then(note))
  }

  /** A signal that is aborted so many of its steps later, if at all. */
  abortAfter(steps: number | undefined): AbortSignal {
    const controller = new AbortController()
    if (steps !== undefined) this.#aborts.push({ controller, at: steps })
    return controller.signal
  }

  /** Its next step begins. */
  step(): void {
    for (const abort of this.#aborts) if (abort.at-- === 0) abort.controller.abort()
  }

  abortAll(): void {
    for (const { controller } of this.#aborts) controller.abort()
  }
}
