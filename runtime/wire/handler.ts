import type { GlobalSignal } from '../ambient.ts'
import type { CallOptions } from './call-options.ts'
import type { Unread } from './unread.ts'

/**
 * What a handler may want to know besides the body. It is also call options: `child.call(x, request)` passes on
 * what is left of the time, the cancel and `meta`.
 */
export interface Request<Res = any> {
  /** The caller's id; `undefined` for a plain value. */
  readonly id: number | undefined
  /**
   * Aborts when the caller cancels, times out or dies, when the deadline has passed, and when nobody reads the stream
   * any more that was the answer.
   */
  readonly signal: GlobalSignal
  /** When the caller gives up, in milliseconds since the epoch; `undefined` where it has not said. */
  readonly deadline: number | undefined
  /** What the caller gave along. Empty unless it gave something. */
  readonly meta: Readonly<Record<string, unknown>>
  /**
   * Answers now, and the handler works on: what it returns is ignored, what it throws is a fault on stderr. Throws
   * `denied` the second time, and what the value is refused with: then nothing has been answered.
   */
  reply(value: Res): void
  /**
   * Passes the request on: `callable.call(body, request)`, whose reply is not read, to be returned. What is left of the
   * time, the cancel and `meta` go along; `options` add to them. With `lazy` nothing of the body is parsed either.
   */
  forward<R>(
    callable: { call(body: any, options?: CallOptions): Promise<R> },
    options?: CallOptions,
  ): Promise<Unread<R>>
}

/** What `serve` calls for each request. What it returns, or its promise resolves with, is the reply. */
export type Handler<Req = any, Res = unknown> = (body: Req, request: Request<any>) => Res | Promise<Res>

/** Whether a handler's result is still to come. Throws what a getter or a proxy throws. A function may be one too, and an answer otherwise is not. */
export function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}
