import type { ConnectionOptions } from 'node:tls'

/** How the other end of a connection is known, and how it knows this one. */
export interface PeerOptions {
  /** 32 bytes, or the path of a file of mode 0600 that holds them. Default: `~/.config/wat/secret`. */
  secret?: Uint8Array | string
  /** TLS, with Node's options of `tls.connect`. */
  tls?: ConnectionOptions | true
}
