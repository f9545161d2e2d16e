import type { Socket } from 'node:net'
import { WatError } from '../error.ts'
import { dial } from '../net/dial.ts'
import { emptySource } from '../io/fd.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { setStreamRef, streamSource } from '../io/streams.ts'
import { sinkOf } from './connection-pipes.ts'
import type { PeerOptions } from '../net/peer-options.ts'
import type { Ended, Flow, Running } from '../child/running.ts'

/** What `listen` serves, at the other end of a socket. */
export class Connection implements Running {
  readonly pid = undefined
  readonly stdin: Sink
  readonly stdout: Source
  readonly stderr: Source = emptySource()
  readonly exited: Promise<Ended>
  hasExited = false
  readonly #socket: Socket
  /** It may be told behind values that nobody had read when the connection closed. */
  readonly #ended: Ended = { code: undefined, signal: undefined }
  #told = false

  /** Connects. Rejects with what `dial` rejects with. */
  static async open(address: string, peer: PeerOptions): Promise<Connection> {
    return new Connection((await dial(address, peer)) as Socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    this.stdin = sinkOf(socket)
    this.stdout = streamSource(socket)
    this.exited = new Promise(resolve => {
      socket.once('close', () => {
        this.hasExited = true
        if (!this.#told) this.#ended.panic = lost(socket.errored)
        resolve(this.#ended)
      })
    })
    socket.once('end', () => socket.end())
  }

  /** The server has told how what it served has ended. */
  onExit(ended: Ended): true {
    this.#told = true
    delete this.#ended.panic
    Object.assign(this.#ended, ended)
    return true
  }

  /** All that comes has come when the socket closes. */
  async drained(_flows: Flow[]): Promise<void> {}

  /** There is no process of ours that could be signalled. */
  signal(): boolean {
    return false
  }

  signalGroup(): boolean {
    return false
  }

  /** Cuts the connection. */
  async kill(): Promise<void> {
    if (!this.#told) this.onExit({ code: undefined, signal: 'SIGKILL' })
    this.#socket.destroy()
  }

  setRef(on: boolean): void {
    setStreamRef(this.#socket, on)
  }
}

function lost(cause: Error | null): WatError {
  return new WatError('offline', `the connection was lost${cause ? `: ${cause.message}` : ''}`, { cause })
}
