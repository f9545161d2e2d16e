/**
 * What the declarations of this package name of Node and of the web, so that they hold in a project that
 * declares neither: without `@types/node`, without the library `dom`.
 */

/** A global class as the project knows it, or what this package uses of it. */
type Global<Name extends string, Otherwise> = typeof globalThis extends {
  [K in Name]: { prototype: infer Instance }
}
  ? Instance
  : Otherwise

/** The global `AbortSignal`. */
export type GlobalSignal = Global<
  'AbortSignal',
  {
    readonly aborted: boolean
    readonly reason: any
    throwIfAborted(): void
    addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
    removeEventListener(type: 'abort', listener: () => void): void
  }
>

/** The global `URL`. */
export type GlobalURL = Global<'URL', { readonly href: string }>

/** The name of a signal, as Node's types have it. */
export type SignalName =
  | 'SIGABRT'
  | 'SIGALRM'
  | 'SIGBUS'
  | 'SIGCHLD'
  | 'SIGCONT'
  | 'SIGFPE'
  | 'SIGHUP'
  | 'SIGILL'
  | 'SIGINT'
  | 'SIGIO'
  | 'SIGIOT'
  | 'SIGKILL'
  | 'SIGPIPE'
  | 'SIGPOLL'
  | 'SIGPROF'
  | 'SIGPWR'
  | 'SIGQUIT'
  | 'SIGSEGV'
  | 'SIGSTKFLT'
  | 'SIGSTOP'
  | 'SIGSYS'
  | 'SIGTERM'
  | 'SIGTRAP'
  | 'SIGTSTP'
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGUNUSED'
  | 'SIGURG'
  | 'SIGUSR1'
  | 'SIGUSR2'
  | 'SIGVTALRM'
  | 'SIGWINCH'
  | 'SIGXCPU'
  | 'SIGXFSZ'
  | 'SIGBREAK'
  | 'SIGLOST'
  | 'SIGINFO'

/** PEM text, or bytes. */
type Pem = string | Uint8Array

/** Options of Node's `tls`: these, and whatever else it takes. */
export interface TlsOptions {
  /** The private key. */
  key?: Pem | readonly (Pem | { pem: Pem; passphrase?: string | undefined })[] | undefined
  /** The certificate, and those that lead to its authority. */
  cert?: Pem | readonly Pem[] | undefined
  /** Whom to trust in place of the well-known authorities. */
  ca?: Pem | readonly Pem[] | undefined
  /** What opens the key. */
  passphrase?: string | undefined
  /** The name that the server's certificate has to have. Default: the host's. */
  servername?: string | undefined
  /** Where it listens: whether clients have to have a certificate, too. */
  requestCert?: boolean | undefined
  /** False trusts anybody. */
  rejectUnauthorized?: boolean | undefined
  [option: string]: any
}

/** Bounds of a thread's memory, as Node's `Worker` takes them. */
export interface ResourceLimits {
  /** The heap of what lives long, in MB. */
  maxOldGenerationSizeMb?: number | undefined
  /** The heap of what is new, in MB. */
  maxYoungGenerationSizeMb?: number | undefined
  /** Memory for generated code, in MB. */
  codeRangeSizeMb?: number | undefined
  /** The stack, in MB. Default 4. */
  stackSizeMb?: number | undefined
}
