import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { atMost, OURS, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'
import type { TextName } from '../texts.ts'

const run = promisify(execFile)

const BYTES = 5_000_000
const QUICK_BYTES = 50_000
const WANTED = atMost(1.5)

const TEXTS: Record<TextName, string> = {
  source: 'source code',
  chinese: 'Chinese prose',
  russian: 'Russian prose',
  emoji: 'English prose with emoji',
  log: 'a log, a vector of lines of JSON',
}

/** What is done, and whether it is to be about as fast as JSON: the last two do more than JSON is asked to. */
const DIRECTIONS = {
  parse: { title: 'parse of', target: WANTED },
  stringify: { title: 'stringify of', target: WANTED },
  read: { title: 'read from chunks of 64 KiB, as the wire does:', target: undefined },
  write: { title: 'written as bytes, as the wire does:', target: undefined },
}

type Direction = keyof typeof DIRECTIONS

/** 5 MB of text beside V8's JSON, which for bytes decodes or encodes them as a whole. */
export const text: Figure[] = (Object.keys(DIRECTIONS) as Direction[]).flatMap(direction =>
  (Object.keys(TEXTS) as TextName[]).map(name => figure(direction, name)),
)

/** In a process of its own: what this one has parsed and written before would decide the result. */
function figure(direction: Direction, name: TextName): Figure {
  const { title, target } = DIRECTIONS[direction]
  return {
    name: `text-${direction}-${name}`,
    title: `5 MB of text: ${title} ${TEXTS[name]}`,
    unit: 'ms',
    async measure({ rounds, sliceMs, quick }) {
      const size = quick ? QUICK_BYTES : BYTES
      const args = [direction, name, String(size), String(rounds), String(sliceMs / 4)]
      const { stdout } = await run(process.execPath, [
        '--no-warnings',
        fileURLToPath(program('text.ts')),
        ...args,
      ])
      const samples = JSON.parse(stdout) as Samples
      return { samples, comparisons: [{ ours: OURS, peer: 'JSON', target }] }
    },
  }
}
