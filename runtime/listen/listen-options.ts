/// <reference lib="esnext.disposable" preserve="true" />
import type { TlsOptions } from '../ambient.ts'
import type { ServeOptions } from '../vm/serve.ts'
import type { SpawnOptions } from '../child/options.ts'

/** How `listen` serves. The options of `spawnProcess` are for a program. */
export interface ListenOptions extends ServeOptions, Omit<SpawnOptions, 'given'> {
  /** 32 bytes, or the path of a file of mode 0600 that holds them. Default: `~/.config/wat/secret`. */
  secret?: Uint8Array | string | undefined
  /** TLS, with Node's options of `tls.createServer`: at least `key` and `cert`. */
  tls?: TlsOptions | undefined
}

/** What listens at an address. */
export interface Listener extends AsyncDisposable {
  /** Where, with the port that it got when it asked for port 0. */
  readonly address: string
  /** Takes no more connections, and ends those that are open within the grace. Never rejects. */
  close(): Promise<void>
}
