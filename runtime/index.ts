/**
 * The program's view of wat. A request's way: call → sender → edn → pipe → edn → receiver → serve →
 * handler, and its reply back the same road.
 */
import './version.ts'
import { port } from './vm/port.ts'
import { WatError } from './error.ts'

export type { ResourceLimits, SignalName, TlsOptions } from './ambient.ts'
export { spawnProcess } from './spawn/spawn.ts'
export { spawnThread } from './spawn/thread.ts'
export type { ThreadOptions } from './spawn/thread.ts'
export { spawnRemote } from './spawn/remote.ts'
export type { RemoteOptions } from './spawn/remote.ts'
export { connect } from './listen/connect.ts'
export type { ConnectOptions } from './listen/connect.ts'
export type { PeerOptions } from './net/peer-options.ts'
export { listen } from './listen/listen.ts'
export type { Listener, ListenOptions } from './listen/listen-options.ts'
export { Process } from './child/process.ts'
export { prewarm } from './local/spares.ts'
export type { SpawnOptions } from './child/options.ts'
export type { Command, Exports, Main, Program } from './child/program.ts'
export { serve } from './vm/serve.ts'
export type { Handler, Request, Served, ServeOptions } from './vm/serve.ts'
export { ref } from './vm/ref.ts'
export type { RefOptions } from './vm/ref.ts'
export { Ref } from './wire/refs/ref.ts'
export { proxy } from './wire/proxy.ts'
export type { Remote } from './wire/proxy.ts'
export type { Arrived } from './wire/arrived.ts'
export { withRequest } from './wire/methods.ts'
export type { Callable } from './wire/callable.ts'
export { self } from './vm/self.ts'
export { log } from './vm/log.ts'
export { Receiver, select } from './wire/receiver.ts'
export { Sender } from './wire/sender.ts'
export { unread } from './wire/encoded.ts'
export { Unread } from './wire/unread.ts'
export type { CallOptions } from './wire/call-options.ts'
export type { Exit } from './edn/fault.ts'
export { WatError } from './error.ts'
export type { Asked, ExitStatus, WatCode, WatErrorData, WatErrorOf, WatErrorOptions } from './error.ts'
export { kw } from './edn/index.ts'

/** This process's stdin as a stream of values. */
export const stdin = port.stdin

/** This process's stdout as a stream of values. */
export const stdout = port.stdout

/**
 * The next value of this process's stdin; `undefined` is end of input, or a stop. Rejects with `denied`
 * while `serve` answers the input, and in a program that wat did not start.
 */
export async function readln<T = any>(): Promise<T | undefined> {
  if (!port.opened)
    throw new WatError('denied', 'this program was not started by wat: it has no stdin of its own')
  if (port.serving) throw new WatError('denied', 'serve answers the input of this process')
  return (await stdin.recv()) as T | undefined
}

/**
 * Writes one EDN value and a newline to this process's stdout. Resolves when the pipe has taken it;
 * rejects as `Sender.send` does.
 */
export function println(value: unknown): Promise<void> {
  return stdout.send(value)
}

// What a program that is a function gets is declared below, and is all of this. To import it there would be a circle.
// oxlint-disable-next-line typescript/consistent-type-imports -- these are its own
type Self = typeof import('./index.ts')

declare module './child/program.ts' {
  interface Exports extends Self {}
}
