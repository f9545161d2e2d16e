import { Buffer } from 'node:buffer'
import fs from 'node:fs'

/** What a spare has in place of its program's arguments: room for them, which looks like nothing. */
const ROOM_BYTES = 512
export const ROOM = ' '.repeat(ROOM_BYTES)

/** Where in memory the arguments of a process are: fields 48 and 49 of its stat, counted from behind the name. */
const ARG_START = 45
const ARG_END = 46

let room: { at: number; bytes: number } | undefined

/**
 * Shows these arguments behind our own in `ps`, as if the process had been started with them, cut where the
 * room ends. `process.title` would show them, too, but the program would find it changed. Without /proc nothing
 * is shown.
 */
export function showArguments(args: readonly string[]): void {
  try {
    room ??= findRoom()
    if (!room) return
    const shown = Buffer.alloc(room.bytes)
    shown.write(args.join('\0'), 0, room.bytes - 1) // the last byte is NUL, or the system takes it for a title
    const memory = fs.openSync('/proc/self/mem', 'r+')
    fs.writeSync(memory, shown, 0, room.bytes, room.at)
    fs.closeSync(memory)
  } catch {
    // only a name
  }
}

function findRoom(): typeof room {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8')
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [start = 0, end = 0] = [fields[ARG_START], fields[ARG_END]]
  const bytes = Buffer.byteLength(`${ROOM}\0`)
  const all = fs.readFileSync('/proc/self/cmdline')
  const isOurs = all.length === end - start && all.subarray(-bytes).toString() === `${ROOM}\0`
  return isOurs ? { at: end - bytes, bytes } : undefined
}
