import { spawn as start, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { later } from '../wire/timers.ts'

/** What tree-kill uses of a process that lists others. */
interface Listing extends EventEmitter {
  stdout: EventEmitter
}

let listings = new Set<ChildProcess>()

/**
 * Lets tree-kill work for `ms` at most. Resolves when it is done or its time is over. Then the processes
 * that it waits for are killed and it hears of none of them any more, so that it kills nobody later, who
 * might have got a used number.
 */
export async function listingWithin(ms: number, work: (done: () => void) => void): Promise<void> {
  const mine = (listings = new Set())
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>(resolve => {
    timer = later(resolve, ms)
    work(resolve)
  })
  clearTimeout(timer)
  for (const listing of mine) listing.kill('SIGKILL')
  mine.clear()
}

/**
 * Stands in the bundle for tree-kill's `child_process` (rolldown.config.ts). tree-kill listens to no error of
 * a process that it starts, and takes for granted that one which succeeds has named somebody. Here a process
 * that cannot be started, fails, or names nobody has found nobody.
 */
export function spawn(command: string, args: (string | number)[]): Listing {
  const listing: Listing = Object.assign(new EventEmitter(), { stdout: new EventEmitter() })
  const mine = listings
  const end = (found: string) => {
    if (/\d/.test(found)) listing.stdout.emit('data', found)
    listing.emit('close', /\d/.test(found) ? 0 : 1)
  }
  let process: ChildProcess
  try {
    process = start(command, args.map(String), { stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    setImmediate(end, '')
    return listing
  }
  let text = ''
  mine.add(process)
  process.stdout?.on('data', chunk => (text += String(chunk)))
  const once = (found: string) => mine.delete(process) && end(found)
  process.once('error', () => once(''))
  process.once('close', code => once(code === 0 ? text : ''))
  return listing
}
