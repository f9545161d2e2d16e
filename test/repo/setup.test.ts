import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { tooOldNode } from '../support/machine.ts'
import { root } from './sources.ts'

const run = promisify(execFile)
const folder = mkdtempSync(path.join(tmpdir(), 'wat-setup-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('P76 the set-up prints nothing where nothing is wrong, also on an old Node', async () => {
  const old = tooOldNode()
  const env = { ...process.env, ...(old && { PATH: `${path.dirname(old)}:${process.env.PATH}` }) }
  for (const key of Object.keys(env)) if (/^npm_/i.test(key)) Reflect.deleteProperty(env, key)
  const npm = async (...args: string[]) => {
    const { stdout, stderr } = await run('npm', args, { cwd: folder, env })
    // A person's own settings are none of the repository's business.
    return { stdout, stderr: stderr.replace(/^npm warn Unknown \w+ config.*\n/gm, '') }
  }
  for (const part of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(path.join(root, part), path.join(folder, part))
  // It looks at what every package needs, as without --dry-run, and says what it would add.
  expect((await npm('ci', '--dry-run', '--ignore-scripts', '--offline')).stderr).toBe('')

  for (const part of ['rolldown.config.ts', 'tsconfig.json', 'tsconfig.build.json', 'runtime']) {
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  expect(await npm('run', '--silent', 'build')).toEqual({ stdout: '', stderr: '' })
}, 120_000)
