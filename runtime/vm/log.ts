import { kw } from '../edn/index.ts'
import { identity } from './identity.ts'
import { writeRecord } from './stderr.ts'
import { isThrownError, toFault } from '../edn/fault.ts'
import { encodable } from '../wire/fault-text.ts'
import { reportStraysWith } from '../wire/strays.ts'
import { inspected } from '../wire/inspected.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * Structured records on stderr: `#wat/log {:level :at :address :pid :message :data}`, one a line. The
 * parent relays them to the root's stderr unless it takes them (`stderr: 'pipe'`). `data` is any EDN
 * value, or an error. Never throws: data that EDN cannot carry is written as text.
 */
export const log = {
  /** For whoever looks for a fault. */
  debug: (message: string, data?: unknown): void => write('debug', message, data),
  /** What happened, as expected. */
  info: (message: string, data?: unknown): void => write('info', message, data),
  /** Unexpected, and gone on. */
  warn: (message: string, data?: unknown): void => write('warn', message, data),
  /** Something failed. */
  error: (message: string, data?: unknown): void => write('error', message, data),
}

/** Something went wrong and this process goes on: a `#wat/fault` record on stderr. */
export function reportFault(error: unknown): void {
  writeRecord('fault', toFault(error, identity.address))
}

reportStraysWith(reportFault)

function write(level: Level, message: string, data: unknown): void {
  const record: Record<string, unknown> = {
    level: kw(level),
    at: new Date(),
    address: identity.address,
    pid: process.pid,
    message: typeof message === 'string' ? message : inspected(message),
  }
  if (isThrownError(data)) record.data = toFault(data, identity.address)
  else if (data !== undefined) record.data = encodable(data) ? data : inspected(data)
  writeRecord('log', record)
}
