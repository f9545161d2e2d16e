import type { TlsOptions } from 'node:tls'
import type { Handler, ServeOptions } from '../vm/serve.ts'
import type { Command } from './given.ts'
import type { SpawnOptions } from './options.ts'

/** How `listen` serves. The options of `spawnProcess` are for a program. */
export interface ListenOptions extends ServeOptions, SpawnOptions {
  /** 32 bytes, or the path of a file of mode 0600 that holds them. Default: `~/.config/wat/secret`. */
  secret?: Uint8Array | string
  /** TLS, with Node's options of `tls.createServer`: at least `key` and `cert`. */
  tls?: TlsOptions
}

/** What listens at an address. */
export interface Listener extends AsyncDisposable {
  /** Where, with the port that it got when it asked for port 0. */
  readonly address: string
  /** Takes no more connections, and ends those that are open within the grace. Never rejects. */
  close(): Promise<void>
}

/**
 * Serves whoever connects and knows the secret: with a handler, as `serve` does; with a program, in a fresh
 * process for each connection, which is stopped when that ends. Keeps this process alive until `close`, or
 * its own stop, which lets what is in flight finish.
 *
 * Resolves when it listens. Rejects with `denied` when the address is none, is in use or not allowed, or the
 * secret is none; with `offline` when this host has no such address.
 */
export async function listen<Req = any, Res = unknown>(
  address: string,
  program: Handler<Req, Res> | string | URL | Command,
  options: ListenOptions = {},
): Promise<Listener> {
  const { startListening } = await import('./listener.ts')
  return startListening(address, program as Handler | string | URL | Command, options)
}
