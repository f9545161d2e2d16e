import type { GlobalSignal } from '../ambient.ts'

/** What a handler may want to know besides the body. */
export interface Request {
  /** The caller's id; `undefined` for a plain value. */
  readonly id: number | undefined
  /** Aborts when the caller cancels, times out or dies. */
  readonly signal: GlobalSignal
}

/** What `serve` calls for each request. What it returns, or its promise resolves with, is the reply. */
export type Handler<Req = any, Res = unknown> = (body: Req, request: Request) => Res | Promise<Res>

/** Whether a handler's result is still to come. Throws what a getter or a proxy throws. A function may be one too, and an answer otherwise is not. */
export function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}
