import type { TlsOptions } from '../ambient.ts'

/** How the other end of a connection is known, and how it knows this one. */
export interface PeerOptions {
  /** 32 bytes, or the path of a file of mode 0600 that holds them. Default: `~/.config/wat/secret`. */
  secret?: Uint8Array | string | undefined
  /** TLS, with Node's options of `tls.connect`. */
  tls?: TlsOptions | true | undefined
}
