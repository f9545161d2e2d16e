import { parse, Tagged } from '../edn/index.ts'
import { fromFault } from '../edn/fault.ts'
import { isPlainMap } from '../wire/checks.ts'
import { recordLine } from '../wire/fault-text.ts'
import { Gathered } from '../io/gathered.ts'
import type { Source } from '../io/pipe.ts'
import type { WatError } from '../error.ts'

/** A line that is no record is cut at this length, so that text without a newline cannot fill memory. */
const RAW_LINE_BYTES = 64 * 1024

/** The longest record: its writer's frames are bounded too, and a cut record would be none. */
const RECORD_BYTES = 32 * 1024 * 1024

const NEWLINE = 10
const RECORD_TAGS = new Set(['wat/log', 'wat/fault', 'wat/panic', 'wat/raw'])
const RECORD_START = Buffer.from('#wat/')

/** One line of a child's stderr. */
export interface StderrRecord {
  record: Tagged
  /** The line to pass on, newline included. */
  line: string
  bytes: number
}

/**
 * Reads a child's stderr to its end, record by record. `onRecord` says whether more may be read; if
 * not, reading goes on with `resume`.
 */
export class RecordReader {
  readonly #line = new Gathered()
  #paused = false
  #backlog: Buffer[] = []
  #sourceEnded = false
  #ended = false
  readonly #source: Source
  readonly #address: string
  readonly #onRecord: (record: StderrRecord) => boolean
  readonly #onEnd: () => void

  constructor(
    source: Source,
    address: string,
    onRecord: (record: StderrRecord) => boolean,
    onEnd: () => void,
  ) {
    this.#source = source
    this.#address = address
    this.#onRecord = onRecord
    this.#onEnd = onEnd
    source.open(
      chunk => {
        this.#backlog.push(Buffer.from(chunk)) // the chunk's own memory is not ours to keep
        this.#work()
      },
      () => {
        this.#sourceEnded = true
        this.#work()
      },
    )
    source.resume()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#work()
    if (!this.#paused) this.#source.resume()
  }

  /** Takes what has come as all there will be: somebody else may hold the pipe open for ever. */
  end(): void {
    this.#sourceEnded = true
    this.#source.close()
    this.#work()
  }

  #work(): void {
    while (!this.#paused && this.#backlog.length > 0) this.#split(this.#backlog.shift() as Buffer)
    if (this.#paused) this.#source.pause()
    else if (this.#sourceEnded && !this.#ended) {
      this.#ended = true
      if (this.#line.length > 0) this.#emit()
      this.#onEnd()
    }
  }

  #split(chunk: Buffer): void {
    let start = 0
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start)
      const end = newline === -1 ? chunk.length : newline
      const room = this.#limit(chunk, start) - this.#line.length
      this.#line.add(chunk.subarray(start, Math.min(end, start + room)))
      if (end - start > room) {
        this.#emit()
        start += room
      } else {
        start = end
        if (newline !== -1) {
          start++
          this.#emit()
        }
      }
      if (this.#paused && start < chunk.length) {
        this.#backlog.unshift(chunk.subarray(start))
        return
      }
    }
  }

  #limit(chunk: Buffer, start: number): number {
    const head = this.#line.length > 0 ? this.#line.bytes : chunk.subarray(start)
    return head.subarray(0, RECORD_START.length).equals(RECORD_START) ? RECORD_BYTES : RAW_LINE_BYTES
  }

  #emit(): void {
    const line = this.#line.take()
    const text = line.toString()
    if (text.trim() === '') return
    if (!this.#deliver(text, line.length)) this.#paused = true
  }

  /** A record that cannot be handled only looks like one. */
  #deliver(text: string, bytes: number): boolean {
    try {
      return this.#onRecord(this.#toRecord(text, bytes))
    } catch {
      return this.#onRecord(this.#toRaw(text, bytes))
    }
  }

  #toRecord(text: string, bytes: number): StderrRecord {
    const record = text.startsWith('#wat/') ? asRecord(text) : undefined
    if (record) return { record, line: `${stamped(text, record, this.#address)}\n`, bytes }
    return this.#toRaw(text, bytes)
  }

  #toRaw(text: string, bytes: number): StderrRecord {
    const raw = text.replace(/\r$/, '')
    // The text stays as it is; whose it is stands behind it, where EDN has comments.
    const line = `${recordLine('raw', raw).trimEnd()} ; ${this.#address}\n`
    return { record: new Tagged('wat/raw', raw), line, bytes }
  }
}

/** The panic that a record carries, if it is one. */
export function panicOf(record: Tagged, address: string): WatError | undefined {
  return record.tag === 'wat/panic' ? fromFault(record.value, address) : undefined
}

function asRecord(text: string): Tagged | undefined {
  try {
    const value = parse(text)
    return value instanceof Tagged && RECORD_TAGS.has(value.tag) ? value : undefined
  } catch {
    return undefined // it only looks like one: it is passed on as raw text
  }
}

/** A record names the process it came from. One of ours does so itself; another program's may not. */
function stamped(text: string, record: Tagged, address: string): string {
  const { value } = record
  if (!isPlainMap(value) || Object.hasOwn(value, 'address')) return text.trimEnd()
  return recordLine(record.tag.slice('wat/'.length) as 'log', { ...value, address }).trimEnd()
}
