import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { atMost, OURS, type Figure, type Samples } from '../figure.ts'
import { program } from '../peers/peer.ts'

const run = promisify(execFile)

export const codec: Figure[] = [
  against('parse-80', 'parse of the request, 80 B', ['parse', '80 B'], 1.3),
  against('parse-100k', 'parse of a map of 100 KB', ['parse', '100 KB'], 2),
  against('stringify-80', 'stringify of the request, 80 B', ['stringify', '80 B'], 3),
  against('stringify-100k', 'stringify of a map of 100 KB', ['stringify', '100 KB'], 3),
]

/** In a process of its own: what this one has parsed and written before would decide the result. */
function against(name: string, title: string, what: [string, string], target: number): Figure {
  return {
    name,
    title: `codec: ${title}`,
    unit: 'µs',
    async measure({ rounds, sliceMs }) {
      const args = [fileURLToPath(program('codec.ts')), ...what, String(rounds), String(sliceMs / 4)]
      const { stdout } = await run(process.execPath, ['--no-warnings', ...args])
      const samples = JSON.parse(stdout) as Samples
      return { samples, comparisons: [{ ours: OURS, peer: 'JSON', target: atMost(target) }] }
    },
  }
}
