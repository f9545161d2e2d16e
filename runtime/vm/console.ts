import { identity } from './identity.ts'
import { writeText } from './stderr.ts'

/**
 * Console output takes the same way as the records, so that neither cuts the other in two, and Node
 * does not open descriptors 1 and 2 itself: it would make them non-blocking, and a program that
 * inherits them would fail with EAGAIN where any other pipe makes it wait.
 */
export function captureConsole(): void {
  if (identity.thread) return captureThreadConsole()
  for (const [name, fd] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    let stream: NodeJS.WritableStream | undefined
    const get = () => (stream ??= textStream(fd))
    Object.defineProperty(process, name, { get, configurable: true, enumerable: true })
  }
}

/** Node looks for methods of its own on the streams of a thread: they stay, and write elsewhere. */
function captureThreadConsole(): void {
  for (const stream of [process.stdout, process.stderr] as NodeJS.WritableStream[]) {
    const { _write } = textStream(0) as unknown as { _write: unknown }
    Object.assign(stream, { _write, _writev: null })
  }
}

function textStream(fd: number): NodeJS.WritableStream {
  const { Writable } = process.getBuiltinModule('node:stream')
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, encoding: BufferEncoding, done: () => void) {
      writeText(typeof chunk === 'string' ? fromEncoding(chunk, encoding) : Buffer.from(chunk).toString())
      done()
    },
  })
  return Object.assign(stream, { fd })
}

/** A string may come as hex or base64 of what is meant. */
function fromEncoding(chunk: string, encoding: BufferEncoding): string {
  return /^utf-?8$/i.test(encoding) ? chunk : Buffer.from(chunk, encoding).toString()
}
