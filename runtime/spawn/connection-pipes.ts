import type { Socket } from 'node:net'
import { socketSink } from '../vm/fd-sink.ts'
import type { Sink } from '../wire/pipe.ts'
import { streamSink } from '../wire/streams.ts'

/** The writing end of a connection: straight to its descriptor, unless TLS stands before that. */
export function sinkOf(socket: Socket): Sink {
  return 'encrypted' in socket ? streamSink(socket) : socketSink(socket)
}
