import { Buffer } from 'node:buffer'
import type { Source } from './pipe.ts'

const NEWLINE = 10

/** A line that somebody else begins and does not end is passed on at this length. */
const NOTE_BYTES = 64 * 1024

/**
 * Two sources of lines as one. The bytes of the first pass as they come; whole lines of the second stand
 * between its lines. Ends when both have ended.
 */
export function mergeLines(main: Source, notes: Source): Source {
  let onBytes: (chunk: Uint8Array) => void = () => {}
  let atLineStart = true
  let mainEnded = false
  let waiting = Buffer.alloc(0)
  let left = 2

  const passNotes = (all: boolean) => {
    if (!atLineStart && !mainEnded) return
    const whole = all || waiting.length > NOTE_BYTES ? waiting.length : waiting.lastIndexOf(NEWLINE) + 1
    if (whole === 0) return
    const lines = waiting.subarray(0, whole)
    waiting = waiting.subarray(whole)
    onBytes(lines)
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
          passNotes(false)
        },
        once(() => {
          mainEnded = true
          passNotes(false)
          end()
        }),
      )
      notes.open(
        chunk => {
          waiting = Buffer.concat([waiting, chunk])
          passNotes(false)
        },
        once(() => {
          mainEnded ||= waiting.length > 0 // what is left is said now, whatever stands before it
          passNotes(true)
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

function once(callback: () => void): () => void {
  let called = false
  return () => {
    if (!called) callback()
    called = true
  }
}
