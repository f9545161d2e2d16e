import { Buffer } from 'node:buffer'
import { Gathered } from './gathered.ts'
import { once } from './once.ts'
import type { Source } from './pipe.ts'

const NEWLINE = 10
const LINE_FEED = Buffer.from([NEWLINE])

/** A line that somebody else begins and does not end is passed on at this length. */
const NOTE_BYTES = 64 * 1024

/** A line of the first that does not end is cut when so much of the second waits for its end. */
const HELD_NOTES_BYTES = 1024 * 1024

/**
 * Two sources of lines as one. The bytes of the first pass as they come; whole lines of the second stand
 * between its lines. Ends when both have ended.
 *
 * The second is never held up: a launcher that cannot write what it has to say carries nothing else either.
 */
export function mergeLines(main: Source, notes: Source): Source {
  let onBytes: (chunk: Uint8Array) => void = () => {}
  let atLineStart = true
  let mainEnded = false
  const lines = new Gathered()
  const begun = new Gathered()
  let left = 2

  const addNotes = (chunk: Uint8Array) => {
    const whole = chunk.lastIndexOf(NEWLINE) + 1
    if (whole > 0) {
      lines.add(begun.take())
      lines.add(chunk.subarray(0, whole))
    }
    begun.add(chunk.subarray(whole))
    if (begun.length > NOTE_BYTES) lines.add(begun.take())
  }
  const passNotes = () => {
    if (lines.length === 0) return
    if (!atLineStart && !mainEnded) {
      if (lines.length <= HELD_NOTES_BYTES) return
      onBytes(LINE_FEED)
      atLineStart = true
    }
    onBytes(lines.take())
  }
  return {
    open(bytes, onEnd) {
      onBytes = bytes
      const end = () => {
        if (--left === 0) onEnd()
      }
      main.open(
        chunk => {
          bytes(chunk)
          atLineStart = chunk.at(-1) === NEWLINE
          passNotes()
        },
        once(() => {
          mainEnded = true
          passNotes()
          end()
        }),
      )
      notes.open(
        chunk => {
          addNotes(chunk)
          passNotes()
        },
        once(() => {
          lines.add(begun.take())
          mainEnded ||= lines.length > 0 // what is left is said now, whatever stands before it
          passNotes()
          end()
        }),
      )
    },
    pause() {
      main.pause()
      notes.pause()
    },
    resume() {
      main.resume()
      notes.resume()
    },
    setRef() {},
    close() {
      main.close()
      notes.close()
    },
  }
}
