import { expect } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import type { Handler } from '../../runtime/wire/handler.ts'
import { here } from '../../runtime/wire/refs/local-call.ts'
import { LocalTarget } from '../../runtime/wire/refs/local-target.ts'
import type { Ref } from '../../runtime/wire/refs/ref.ts'
import { serviceOf } from '../../runtime/wire/service-of.ts'
import type { End } from './pair.ts'

interface MadeOptions {
  concurrency?: number
  name?: string
  address?: string
  dispose?: () => void
}

/** What `ref` of a program gives, for one that has peers and no process. */
export function made(target: Handler | object, options: MadeOptions = {}): Ref {
  const { concurrency, name, address = '/maker', dispose = () => {} } = options
  const service = serviceOf(target, { concurrency })
  return new LocalTarget({ here, service, about: { address }, address, name, dispose }).ref
}

/** The code a promise rejects with, or what it resolves with. */
export const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    value => value,
    (error: WatError) => error.code,
  )

/** What is going on at these ends, and what they hold: nothing where all has settled and been let go. */
export function leftAt(...ends: End[]): [string, number][][] {
  return ends.map(({ peer }) => Object.entries(peer.load).filter(([, n]) => n !== 0))
}

/** Nothing is going on any more, nothing is left of what went on, and nobody has complained. */
export function expectIdle(...ends: End[]): void {
  expect(leftAt(...ends)).toEqual(ends.map(() => []))
  expect(ends.flatMap(({ faults, lateFailures }) => [...faults, ...lateFailures])).toEqual([])
}

export const never = (): Promise<never> => new Promise<never>(() => {})

/** Settles when somebody says so. */
export function gate(): { open: () => void; opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: () => resolve(), opened: promise }
}
