import type { Arrived } from '../wire/arrived.ts'
import type { Callable } from '../wire/callable.ts'
import type { Handler } from '../wire/handler.ts'
import { serviceOf } from '../wire/service-of.ts'
import type { Unread } from '../wire/unread.ts'
import { port } from './port.ts'

export type { Handler, Request } from '../wire/handler.ts'

/** How `serve` answers. */
export interface ServeOptions {
  /** How many requests are handled at once; as many again may wait, the rest is not read. Default 256. */
  concurrency?: number | undefined
  /** The handler gets each body as an `Unread`, to be read when it likes or passed on as it is. */
  lazy?: boolean | undefined
}

declare const served: unique symbol

/** What `serve` resolves with: nothing. Its type tells whoever starts the program what is served. */
export type Served<Req = any, Res = any> = void & { readonly [served]?: (body: Req) => Res }

/**
 * Answers every request, and every plain value with one plain value in order, until end of input or
 * stop. Resolves when everything taken has been answered. A handler that gives `undefined` answers nil.
 *
 * A `Callable`, such as a `Process`, answers what is passed on to it. An object of methods answers EDN lists:
 * `(add 1 2)` with what its method `add` gives.
 *
 * A handler that throws fails its request with a fault; for a plain value the fault goes to stderr,
 * the next value is served and the exit code becomes 1. Rejects with `denied` when this process is
 * serving already or was not started by wat, and for what cannot answer.
 *
 * A program that is a function gives its `Process` the handler's types by returning what `serve` does.
 */
export function serve<Req = any, Res = unknown>(
  handler: Handler<Unread<Req>, Res>,
  options: ServeOptions & { lazy: true },
): Promise<Served<Req, Arrived<Awaited<Res>>>>
export function serve<Req = any, Res = unknown>(
  handler: Handler<Req, Res> | Callable<Req, Res>,
  options?: ServeOptions,
): Promise<Served<Req, Arrived<Awaited<Res>>>>
export function serve(methods: object, options?: ServeOptions): Promise<Served>
export async function serve(target: unknown, options: ServeOptions = {}): Promise<Served> {
  port.serve(serviceOf(target, options))
  return (await port.peer.answers.done) as Served
}
