import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { blocks, root } from '../repo/sources.ts'

test('P42 the example of docs/channel.md prints what it shows', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wat-channel-'))
  try {
    mkdirSync(path.join(folder, 'node_modules'))
    symlinkSync(root, path.join(folder, 'node_modules/wat-vm'))
    const [program = '', console = ''] = [
      ...blocks('docs/channel.md', 'ts'),
      ...blocks('docs/channel.md', 'console'),
    ].filter(block => /^\/\/ sum\.ts|^\$ /.test(block))
    writeFileSync(path.join(folder, 'sum.ts'), program)
    const [command = '', output] = console.trimEnd().split('\n')
    const { stdout } = await promisify(execFile)('sh', ['-c', command.slice(2)], { cwd: folder })
    expect(stdout.trimEnd()).toBe(output)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
