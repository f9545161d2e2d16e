/** The version of the frame vocabulary that everybody understands, shells too. */
export const BASIC_PROTOCOL = 1

/** The latest version, with credit, which two wat-vms speak that know it of each other. */
export const PROTOCOL = 2

/** The largest form a reader takes and a writer sends, unless `maxFrame` says otherwise. */
export const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024

/** A receiver nobody reads holds about this much before it stops reading its pipe. */
export const HIGH_WATER_BYTES = 64 * 1024

/** Frames are gathered up to this many bytes and go out in one write. */
export const BATCH_BYTES = 8 * 1024

/** While a pipe is full, what waits for it is put aside in chunks of about this size. */
export const CHUNK_BYTES = 64 * 1024

/** What sends that nobody awaits may pile up; beyond it `send` rejects with `overloaded`. */
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024

/** So many requests may wait for their handlers to begin; a caller sends no more until some have. */
export const CALL_PLACES = 256

/** What they may take. */
export const CALL_WINDOW_BYTES = 4 * 1024 * 1024

/** Plain values that were sent and not yet taken may take this much; then the sender waits. */
export const VALUE_WINDOW_BYTES = 256 * 1024

/** Calls that may wait for a place; beyond it `call` rejects with `overloaded`. */
export const MAX_WAITING_CALLS = 65_536

/** Requests a program handles at once unless `concurrency` says otherwise. */
export const DEFAULT_CONCURRENCY = 256

/** References that one side of a link may have given the other at once; beyond it sending one is `overloaded`. */
export const MAX_REFS = 65_536

/** A stream is pulled in batches of about so many bytes; one batch is on its way, and one waits to be read. */
export const STREAM_BATCH_BYTES = 32 * 1024

/** Bytes go ahead of their frame, and not as base64 in it, from this length on. */
export const LEAST_RAW_BYTES = 1024

/** The longest delay a timer of Node takes (a signed 32-bit number of ms); longer means never. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The least that a reader takes as a frame of control, such as `#wat/ready`, however small `maxFrame` is. */
export const CONTROL_FRAME_BYTES = 4096

/** A connection is not taken for lost any sooner. */
export const LEAST_SILENCE_MS = 100

/** What a host is told to do with a process that does not run yet; more ends the connection. */
export const MAX_EARLY_ORDERS = 256

/** A connection to another host that is silent this long is taken for lost, unless `silence` says otherwise. */
export const DEFAULT_SILENCE_MS = 10_000
