import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { socketSink } from '../io/fd-sink.ts'
import { endFrame } from '../wire/frames.ts'
import type { Sink, Source } from '../io/pipe.ts'
import { streamSink } from '../io/streams.ts'

/** The writing end of a connection: straight to its descriptor, unless TLS stands before that. */
export function sinkOf(socket: Socket): Sink {
  return 'encrypted' in socket ? streamSink(socket) : socketSink(socket)
}

const END = Buffer.from(endFrame())

/** The same bytes for somebody who knows no frames: `#wat/end {}`, the last line, is the end of input. */
export function untilEnd(source: Source): Source {
  let held = Buffer.alloc(0)
  let ended = false
  return {
    pause: () => source.pause(),
    resume: () => source.resume(),
    setRef: on => source.setRef(on),
    close: () => source.close(),
    open(onBytes, onEnd) {
      const end = () => {
        if (!ended) onEnd()
        ended = true
      }
      source.open(
        chunk => {
          const bytes = Buffer.concat([held, chunk])
          const line = bytes.lastIndexOf(10, bytes.at(-1) === 10 ? -2 : -1) + 1
          // A line that may become the frame is kept until that is known.
          const kept = END.subarray(0, bytes.length - line).equals(bytes.subarray(line)) ? line : bytes.length
          held = bytes.subarray(kept)
          if (kept > 0 && !ended) onBytes(bytes.subarray(0, kept))
          if (held.length === END.length) end()
        },
        () => {
          if (held.length > 0 && !ended) onBytes(held)
          end()
        },
      )
    },
  }
}
