import type { GlobalURL } from '../ambient.ts'
import type { Handler } from '../vm/serve.ts'
import type { Callable } from '../wire/callable.ts'
import type { Command } from '../child/program.ts'
import type { Listener, ListenOptions } from './listen-options.ts'

/**
 * Serves whoever connects and knows the secret: with a handler, a `Callable` or an object of methods, as `serve` does; with a program, in a fresh
 * process for each connection, which is stopped when that ends. Keeps this process alive until `close`, or
 * its own stop, which lets what is in flight finish.
 *
 * Resolves when it listens. Rejects with `denied` when the address is none, is in use or not allowed, or the
 * secret is none; with `offline` when this host has no such address.
 */
export async function listen<Req = any, Res = unknown>(
  address: string,
  program: Handler<Req, Res> | Callable<Req, Res> | string | GlobalURL | Command | object,
  options: ListenOptions = {},
): Promise<Listener> {
  const { startListening } = await import('./listener.ts')
  return startListening(address, program, options)
}
