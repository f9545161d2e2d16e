import { onAbort } from './aborts.ts'
import type { CallOptions } from './call-options.ts'
import type { Call } from './call.ts'
import { passedOn } from './call-terms.ts'

/** A call is given up, for a reason, when what governs it says so: the request that it passes on, or a signal. */
export function follow(call: Call, options: CallOptions, giveUp: (cause: unknown) => void): void {
  const request = passedOn(options)
  const unlistens: (() => void)[] = []
  if (request) {
    // The same as its signal, which would have to be made for it.
    call.passedOn = request
    unlistens.push(request.onAbort(giveUp))
  }
  const { signal } = options
  if (request !== options && signal) {
    call.signal = signal
    unlistens.push(onAbort(signal, () => giveUp(signal.reason)))
  }
  if (unlistens.length > 0) call.unlisten = () => unlistens.forEach(unlisten => unlisten())
}
