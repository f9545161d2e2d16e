import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, section, sorted, tableRows } from '../repo/sources.ts'
import { tiers } from './tiers.ts'

/** What gives less than a process, or what need not be ours, has a suite of its own. */
const apart: Record<string, string> = {
  'spawnProcess({ command, args })': 'test/peers/examples-peers.test.ts',
  'listen(address, program)': 'test/tiers/connections.test.ts',
}

describe('the table of tiers', () => {
  it('P41 P48 names exactly what the conformance suites run', () => {
    const rows = tableRows(section('TIERS.md', '## Tiers')).slice(2) // header and tier 0
    const calls = rows.map(([, , call]) => /`([^`]+)`/.exec(call ?? '')?.[1])
    expect(sorted(calls)).toEqual(sorted(new Set([...tiers.map(({ row }) => row), ...Object.keys(apart)])))
    expect(Object.values(apart).filter(file => !existsSync(path.join(root, file)))).toEqual([])
  })
})
