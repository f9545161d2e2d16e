import { layOut, layoutOf, maxMessageBytes, type Memory } from './layout.ts'
import { ChannelReader, type ReaderOptions } from './reader.ts'
import { ChannelWriter } from './writer.ts'

const DEFAULT_BYTES = 64 * 1024
const DEFAULT_READERS = 8

/** What a channel is made of. */
export interface ChannelOptions {
  /** The size of the ring in bytes, rounded up to a power of two: from 1 KiB to 1 GiB. Default 64 KiB. */
  bytes?: number | undefined
  /** The most readers at once, each with a cursor of its own. Default 8. */
  readers?: number | undefined
}

/**
 * A ring in shared memory that one thread writes and any number of threads read. Every reader gets every
 * message, whole and in order. To hand it to another thread, send `buffer` and call `openChannel` there.
 */
export class Channel {
  readonly #memory: Memory

  /** @internal */
  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The shared memory that is the channel. */
  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer
  }

  /** The size of the ring in bytes. */
  get capacity(): number {
    return this.#memory.capacity
  }

  /** The longest message in bytes: somewhat less than half of `capacity`. */
  get maxMessage(): number {
    return maxMessageBytes(this.#memory.capacity)
  }

  /** Claims the writing end, for good. Throws `denied` when anybody in any thread has claimed it before. */
  writer(): ChannelWriter {
    return new ChannelWriter(this.#memory)
  }

  /**
   * Takes one of the places for readers. The first reader of a channel starts with its first message, every
   * later one with the next message that is written. Throws `denied` when all places are taken.
   */
  reader(options: ReaderOptions = {}): ChannelReader {
    return new ChannelReader(this.#memory, options)
  }
}

/** Makes a channel. Throws a `RangeError` for sizes out of bounds. */
export function createChannel(options: ChannelOptions = {}): Channel {
  const { bytes = DEFAULT_BYTES, readers = DEFAULT_READERS } = options
  return new Channel(layOut(bytes, readers))
}

/** The channel whose `buffer` came from another thread. Throws `malformed` when it is not that of a channel. */
export function openChannel(buffer: SharedArrayBuffer): Channel {
  return new Channel(layoutOf(buffer))
}
