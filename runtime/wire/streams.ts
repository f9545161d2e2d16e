import type { Readable, Writable } from 'node:stream'
import type { Source } from './pipe.ts'

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

/** Whether a stream keeps the event loop alive. One that is closed does not, and would remember the wish. */
export function setStreamRef(stream: (Readable | Writable) & Refable, on: boolean): void {
  if (stream.destroyed) return
  if (on) stream.ref?.()
  else stream.unref?.()
}
