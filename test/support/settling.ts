import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import type { End } from './pair.ts'
import type { World } from './world.ts'

/** Timers go by a clock that the test moves. None may be left behind, but by a test that is cut off. */
export function fakeTimers({ mayStay = false } = {}): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    const timers = vi.getTimerCount()
    vi.useRealTimers()
    if (timers > 0 && !mayStay) throw new Error(`${timers} timers are left`)
  })
}

/** The code a promise rejects with, or what it resolves with. */
export const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    value => value,
    (error: WatError) => error.code,
  )

export const never = (): Promise<never> => new Promise<never>(() => {})

/** Settles when somebody says so. */
export function gate(): { open: () => void; opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: () => resolve(), opened: promise }
}

/** What is going on at these ends, and what they hold: nothing where all has settled and been let go. */
export function leftAt(...ends: End[]): [string, number][][] {
  return ends.map(({ peer }) => Object.entries(peer.load).filter(([, n]) => n !== 0))
}

export function expectNothingLeft(...ends: End[]): void {
  expect(leftAt(...ends)).toEqual(ends.map(() => []))
}

/** Nothing is going on any more, nothing is left of what went on, and nobody has complained. */
export function expectIdle(...ends: End[]): void {
  expectNothingLeft(...ends)
  expect(ends.flatMap(({ faults, lateFailures }) => [...faults, ...lateFailures])).toEqual([])
}

/** No count of what these ends hold is below zero. It takes its time, so it is seen now and then. */
export function checkLoads(world: World, ends: End[]): void {
  if (world.steps % 16 !== 0) return
  for (const { peer } of ends)
    for (const [what, n] of Object.entries(peer.load)) if (!(n >= 0)) throw new Error(`${what} is ${n}`)
}
