import type { Readable, Writable } from 'node:stream'
import type { Sink, Source } from './pipe.ts'

type Refable = { ref?(): unknown; unref?(): unknown }

/** The bytes of a Node stream, such as the stdout of a child. */
export function streamSource(stream: Readable & Refable): Source {
  return {
    open(onBytes, onEnd) {
      stream.on('data', onBytes)
      stream.pause()
      stream.once('end', onEnd)
      stream.once('error', () => stream.destroy()) // a broken pipe is the end of its input
      stream.once('close', onEnd)
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    setRef: on => setStreamRef(stream, on),
    close: () => void stream.destroy(),
  }
}

/** Writes to a Node stream, such as an encrypted socket. */
export function streamSink(stream: Writable): Sink {
  stream.on('error', () => {}) // the write's callback reports it
  return {
    write(chunks, done) {
      const last = chunks.length - 1
      // The memory of the last chunk is the caller's again when this returns.
      chunks.forEach((chunk, n) => {
        if (n < last) stream.write(chunk)
        else stream.write(Uint8Array.from(chunk), error => done(error ?? undefined))
      })
    },
    writeSync(chunks) {
      for (const chunk of chunks) stream.write(Uint8Array.from(chunk)) // it cannot block
    },
    end(done) {
      if (stream.destroyed) done()
      else stream.end(done)
    },
    close: () => void stream.destroy(),
  }
}

/** Whether a stream keeps the event loop alive. One that is closed does not, and would remember the wish. */
export function setStreamRef(stream: (Readable | Writable) & Refable, on: boolean): void {
  if (stream.destroyed) return
  if (on) stream.ref?.()
  else stream.unref?.()
}
