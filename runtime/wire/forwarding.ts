import type { CallOptions } from './call-options.ts'
import type { Request } from './handler.ts'

/** The options of a call that passes a request on, with what its handler says besides; the reply is not read. */
export class Forwarding implements CallOptions {
  readonly lazy = true
  readonly request: Request
  readonly timeout: number | undefined
  readonly deadline: number | undefined
  readonly signal: CallOptions['signal']
  readonly meta: CallOptions['meta']

  constructor(request: Request, { timeout, deadline, signal, meta }: CallOptions) {
    this.request = request
    this.timeout = timeout
    this.deadline =
      deadline === undefined ? request.deadline : Math.min(deadline, request.deadline ?? Infinity)
    this.signal = signal
    this.meta = meta === undefined ? request.meta : { ...request.meta, ...meta }
  }
}
