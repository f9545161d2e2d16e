import { cheapSite } from '../edn/stack.ts'
import { metaOf } from './call-terms.ts'
import type { CallOptions } from './call-options.ts'
import type { CallWindow } from './call-window.ts'
import type { Call, Held } from './call.ts'
import type { Passed } from './passed.ts'

/**
 * Of so many calls that are open at once, each may keep where it was made. Of more, the lines that await them
 * can be told, which costs nothing.
 */
const CALLS_WITH_SITE = 16

/** Where the program is that makes a call, with so many open. */
export function callSite(open: number): Error | undefined {
  return open < CALLS_WITH_SITE ? cheapSite() : undefined
}

/** One that a program awaits. `due`: when it is given up, in milliseconds since the epoch. */
export function awaitedCall(
  body: unknown,
  to: number,
  window: CallWindow<Call>,
  options: CallOptions,
  due: number | undefined,
  resolve: (body: unknown) => void,
  site: Error | undefined,
  held: Held | undefined,
): Call {
  const lazy = options.lazy === true
  const meta = metaOf(options)
  return { id: 0, body, to, due, meta, window, bytes: 0, resolve, site, passedOn: undefined, held, lazy }
}

/** One that passes a request on. */
export function passedCall(
  passedOn: Passed,
  to: number,
  window: CallWindow<Call>,
  held: Held | undefined,
): Call {
  const { body, deadline: due } = passedOn
  const meta = metaOf(passedOn)
  const [resolve, site] = [undefined, undefined]
  return { id: 0, body, to, due, meta, window, bytes: 0, resolve, site, passedOn, held, lazy: true }
}
