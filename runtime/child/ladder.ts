import { withTimeout } from '../vm/with-timeout.ts'

/** What the kill ladder needs of a process. */
export interface Rungs {
  /** Stop frame and end of input. */
  ask(graceMs: number): void
  /** SIGTERM to its process group. */
  terminate(): Promise<unknown>
  /** SIGKILL to it and everything below it. */
  kill(): Promise<void>
  /** Resolves when it is gone. */
  gone: Promise<unknown>
}

/** A process whose program stopped it gets this much over its grace before it is killed. */
export const SLACK_MS = 400

/** Every rung of a stop that this process makes on its own way out stays this far inside its time. */
export const INNER_SLACK_SHARE = 0.02

/** The part of the grace after which somebody who has not gone by asking gets SIGTERM. */
const ASK_SHARE = 0.6

/**
 * The only way in which a process is made to end: it is asked, then told, then killed, each step only
 * if the one before did not do. It is killed `slackMs` after its grace, so that one that uses its whole
 * grace well is not killed at its last step.
 */
export async function climb(rungs: Rungs, graceMs: number, slackMs: number): Promise<void> {
  rungs.ask(graceMs)
  const gone = rungs.gone.then(() => true)
  if (await withTimeout(gone, graceMs * ASK_SHARE)) return
  await rungs.terminate()
  if (await withTimeout(gone, graceMs * (1 - ASK_SHARE) + slackMs)) return
  await rungs.kill()
  await rungs.gone
}
