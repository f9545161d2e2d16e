import { WatError } from '../error.ts'

/** "watc" */
const MAGIC = 0x77617463
const LAYOUT_VERSION = 1

const MIN_CAPACITY_BYTES = 1024
const MAX_CAPACITY_BYTES = 1024 ** 3
const MAX_READERS = 1024

/** Words of 32 bits to a line. Two cache lines: processors fetch the neighbour of a line along with it. */
const LINE = 32

/** Where each word of the header lies, as an index of 32-bit words. A line is written by one side only. */
export const AT = {
  // written once, at creation
  magic: 0,
  version: 1,
  capacity: 2,
  readers: 3,
  start: 4,
  // seldom written: who writes, whether nothing more will come, whether anybody has ever read
  writer: LINE,
  closed: LINE + 1,
  everRead: LINE + 2,
  // the writer's: up to where messages are whole
  written: 2 * LINE,
  // the writer's: what it may overwrite without saying more (reservation.ts)
  reservations: 3 * LINE,
  records: 3 * LINE + 8,
  // what readers tell the writer: that one of them sleeps, that one has gone
  readersSleep: 4 * LINE,
  readersGone: 4 * LINE + 1,
  // what the writer tells readers: that it sleeps
  writerSleeps: 5 * LINE,
  // what sleepers sleep on
  readersEvent: 6 * LINE,
  writerEvent: 7 * LINE,
  // a line for each reader
  slots: 8 * LINE,
}

/** Words of a reader's line. */
export const SLOT = { words: LINE, owner: 0, state: 1, cursor: 2 }

/** What a reader's line is used for. */
export const FREE = 0
/** Its cursor will be where the writer is, or was a moment ago. */
export const JOINING = 1
/** Nothing behind its cursor may be overwritten. */
export const HOLDING = 2
export const LOSSY = 3

/** Before each message: its length, and nothing. Messages begin at multiples of this. */
export const HEADER_BYTES = 8

/** Instead of a length: the next message is at the beginning of the ring. */
export const SKIP = -1

/** A channel's memory, as one thread sees it. */
export interface Memory {
  buffer: SharedArrayBuffer
  /** The header. */
  words: Int32Array
  /** The ring, as bytes and as 32-bit words. */
  ring: Uint8Array
  lengths: Int32Array
  capacity: number
  readers: number
}

/**
 * Makes the memory of a new channel. Positions count bytes, modulo 2^32, from `start`: a multiple of 8, and
 * 0 but for tests.
 */
export function layOut(bytes: number, readers: number, start = 0): Memory {
  if (!(bytes > 0 && bytes <= MAX_CAPACITY_BYTES))
    throw new RangeError(`bytes is from 1 to ${MAX_CAPACITY_BYTES}`)
  if (!(Number.isInteger(readers) && readers >= 1 && readers <= MAX_READERS))
    throw new RangeError(`readers is from 1 to ${MAX_READERS}`)
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(bytes, MIN_CAPACITY_BYTES)))
  const buffer = new SharedArrayBuffer(headerBytes(readers) + capacity)
  const words = new Int32Array(buffer)
  words[AT.version] = LAYOUT_VERSION
  words[AT.capacity] = capacity
  words[AT.readers] = readers
  words[AT.start] = start
  words[AT.written] = start
  words[AT.records] = start
  Atomics.store(words, AT.magic, MAGIC)
  return viewsOf(buffer, capacity, readers)
}

/** The views of a channel's memory. Throws `malformed` when it is none. */
export function layoutOf(buffer: SharedArrayBuffer): Memory {
  if (!isShared(buffer)) throw malformed('it is no SharedArrayBuffer')
  if (buffer.byteLength < headerBytes(1) || buffer.byteLength % 4 !== 0) throw malformed('it is too short')
  const words = new Int32Array(buffer)
  if (Atomics.load(words, AT.magic) !== MAGIC) throw malformed('it does not begin like one')
  if (words[AT.version] !== LAYOUT_VERSION) throw malformed('its layout is of another version')
  const [capacity = 0, readers = 0] = [words[AT.capacity], words[AT.readers]]
  const possible = capacity >= MIN_CAPACITY_BYTES && capacity <= MAX_CAPACITY_BYTES
  if (!possible || (capacity & (capacity - 1)) !== 0 || readers < 1 || readers > MAX_READERS)
    throw malformed('its header makes no sense')
  if (buffer.byteLength !== headerBytes(readers) + capacity) throw malformed('its size is not what it says')
  return viewsOf(buffer, capacity, readers)
}

/** The longest message. With half of the ring it fits at every place, whatever is left before the end. */
export function maxMessageBytes(capacity: number): number {
  return capacity / 2 - HEADER_BYTES
}

/** What a message takes of the ring. */
export function frameBytes(length: number): number {
  return (length + HEADER_BYTES + 7) & ~7
}

/** The index of the first word of a reader's line. */
export function slotAt(index: number): number {
  return AT.slots + index * SLOT.words
}

function headerBytes(readers: number): number {
  return slotAt(readers) * 4
}

function viewsOf(buffer: SharedArrayBuffer, capacity: number, readers: number): Memory {
  const offset = headerBytes(readers)
  return {
    buffer,
    words: new Int32Array(buffer, 0, offset / 4),
    ring: new Uint8Array(buffer, offset, capacity),
    lengths: new Int32Array(buffer, offset, capacity / 4),
    capacity,
    readers,
  }
}

/** By its name: one from another realm is one as well. */
function isShared(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]'
}

function malformed(why: string): WatError {
  return new WatError('malformed', `not the buffer of a channel: ${why}`)
}
