import { Buffer } from 'node:buffer'
import type net from 'node:net'

/** libuv's handle of a pipe, as Node's own streams use it. */
interface Handle {
  readonly fd: number
  readonly writeQueueSize: number
  onread: () => void
  open(fd: number): number
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  ref(): void
  unref(): void
  close(): void
}

interface WriteRequest {
  /** Keeps alive the memory that libuv writes from: libuv has but its address. */
  buffer?: Uint8Array
  oncomplete: (status: number) => void
}

interface PipeBinding {
  Pipe: new (type: number) => Handle
  constants: { SOCKET: number }
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

/**
 * A pipe without Node's streams. To load `node:net` and make its first sockets takes 4 ms of a start, an
 * eighth of an empty program's. Node offers these handles by `process.binding` alone, which is deprecated
 * (DEP0111) and denied by the permission model: where it gives none, there are the sockets.
 */
export class RawPipe {
  readonly #handle: Handle
  readonly #stream: StreamBinding
  readonly #close: () => void

  /** Takes over a descriptor, which becomes non-blocking; `undefined` where there are no such handles. */
  static open(fd: number): RawPipe | undefined {
    const { pipes, stream } = (bindings ??= findBindings())
    if (!pipes || !stream) return undefined
    const handle = new pipes.Pipe(pipes.constants.SOCKET)
    return handle.open(fd) === 0 ? new RawPipe(handle, stream, () => handle.close()) : undefined
  }

  /** The pipe of a socket that Node has made. Who reads it so must not read the socket itself. */
  static of(socket: net.Socket): RawPipe | undefined {
    const { stream } = (bindings ??= findBindings())
    const { _handle: handle } = socket as net.Socket & { _handle?: Handle | null }
    return stream && handle ? new RawPipe(handle, stream, () => void socket.destroy()) : undefined
  }

  private constructor(handle: Handle, stream: StreamBinding, close: () => void) {
    this.#handle = handle
    this.#stream = stream
    this.#close = close
  }

  /** Below 0 once it is closed. */
  get fd(): number {
    return this.#handle.fd
  }

  /** Bytes of a write under way that the system has not taken. */
  get unwritten(): number {
    return this.#handle.writeQueueSize
  }

  /** From `start` on, what comes is put into the buffer; `onEnd` once, also when the pipe broke. */
  read(buffer: Uint8Array, onBytes: (length: number) => void, onEnd: () => void): void {
    const { streamBaseState, kReadBytesOrError } = this.#stream
    this.#handle.useUserBuffer(buffer)
    this.#handle.onread = () => {
      const length = streamBaseState[kReadBytesOrError] as number
      if (length > 0) onBytes(length)
      if (length >= 0) return // nothing at all is nothing yet
      this.close()
      onEnd()
    }
  }

  start(): void {
    if (this.fd >= 0) this.#handle.readStart()
  }

  stop(): void {
    if (this.fd >= 0) this.#handle.readStop()
  }

  /** Waits until the system has taken the bytes. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.#stream
    const request = new WriteWrap()
    const own = Buffer.from(bytes)
    request.buffer = own
    request.oncomplete = status => done(status < 0 ? systemError(status) : undefined)
    const status = this.fd < 0 ? EBADF : this.#handle.writeBuffer(request, own)
    if (status < 0 || streamBaseState[kLastWriteWasAsync] === 0) setImmediate(request.oncomplete, status)
  }

  setRef(on: boolean): void {
    if (on) this.#handle.ref()
    else this.#handle.unref()
  }

  close(): void {
    if (this.fd >= 0) this.#close()
  }
}

const EBADF = -9

function systemError(status: number): Error {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code })
}

let bindings: { pipes?: PipeBinding; stream?: StreamBinding } | undefined

function findBindings(): { pipes?: PipeBinding; stream?: StreamBinding } {
  // Who asks for these warnings asks about the program, not about us.
  const { NODE_OPTIONS = '', NODE_PENDING_DEPRECATION } = process.env
  const warned = /--pending-deprecation/.test([...process.execArgv, NODE_OPTIONS].join(' '))
  if (warned || NODE_PENDING_DEPRECATION === '1') return {}
  const node = process as unknown as { binding(name: string): unknown }
  try {
    return {
      pipes: node.binding('pipe_wrap') as PipeBinding,
      stream: node.binding('stream_wrap') as StreamBinding,
    }
  } catch {
    return {}
  }
}
