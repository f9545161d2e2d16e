import type { Handler } from '../wire/handler.ts'
import { DEFAULT_CONCURRENCY } from '../wire/limits.ts'
import { port } from './port.ts'

export type { Handler, Request } from '../wire/handler.ts'

/** How `serve` answers. */
export interface ServeOptions {
  /** How many requests are handled at once; as many again may wait, the rest is not read. Default 256. */
  concurrency?: number | undefined
}

declare const served: unique symbol

/** What `serve` resolves with: nothing. Its type tells whoever starts the program what is served. */
export type Served<Req = any, Res = any> = void & { readonly [served]?: (body: Req) => Res }

/**
 * Answers every request, and every plain value with one plain value in order, until end of input or
 * stop. Resolves when everything taken has been answered. A handler that gives `undefined` answers nil.
 *
 * A handler that throws fails its request with a fault; for a plain value the fault goes to stderr,
 * the next value is served and the exit code becomes 1. Rejects with `denied` when this process is
 * serving already or was not started by wat.
 *
 * A program that is a function gives its `Process` the handler's types by returning what `serve` does.
 */
export async function serve<Req = any, Res = unknown>(
  handler: Handler<Req, Res>,
  options: ServeOptions = {},
): Promise<Served<Req, Res>> {
  if (typeof handler !== 'function') throw new TypeError('serve takes a function')
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
  if (!(concurrency >= 1)) throw new RangeError('concurrency is at least 1')
  port.serve(handler as Handler, concurrency)
  return (await port.peer.answers.done) as Served<Req, Res>
}
