import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import type { Report } from './report.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'wat-bench-'))

afterAll(() => rmSync(folder, { recursive: true }))

/** Whether the suite works, not how fast anything is: the machine that runs the tests is no measure. */
test.each([
  'round-trip',
  'cold-spawn',
  'memory',
  'tree',
  'chain',
  'bytes',
  'forwarding',
  'channel-latency',
  'text-read-log',
])(
  'the benchmark measures %s',
  async name => {
    const [report] = (await measure(name)) as [Report]
    expect(report.name).toBe(name)
    expect(report.lines.length).toBeGreaterThan(0)
    for (const line of report.lines) {
      expect(Object.keys(report.samples)).toContain(line.ours)
      expect(Object.keys(report.samples)).toContain(line.peer)
      for (const number of [line.oursMedian, line.peerMedian, line.ratio])
        expect(number).toSatisfy(Number.isFinite)
    }
  },
  60_000,
)

async function measure(name: string): Promise<Report[]> {
  const json = path.join(folder, `${name}.json`)
  await promisify(execFile)(process.execPath, [
    '--no-warnings',
    main,
    '--quick',
    '--rounds',
    '1',
    '--only',
    name,
    '--json',
    json,
  ])
  return (JSON.parse(readFileSync(json, 'utf8')) as { figures: Report[] }).figures
}
