import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { blocks, root } from './sources.ts'

const run = promisify(execFile)

/** Where a document's files lie, and the one command they need. */
const folder = mkdtempSync(path.join(tmpdir(), 'wat-docs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(path.join(folder, 'bin'))
symlinkSync(path.join(root, 'bin/wat'), path.join(folder, 'bin/wat'))

describe.each(['README.md', 'docs/how-to.md', 'docs/peers.md'])('%s', document => {
  const cwd = path.join(folder, path.parse(document).name)
  mkdirSync(cwd)
  for (const body of ['ts', 'js', 'sh', 'py'].flatMap(language => blocks(document, language))) {
    const name = /^(?:#!.*\n)?(?:\/\/|#) ([\w-]+\.\w+)\n/.exec(body)?.[1]
    if (name) writeFileSync(path.join(cwd, name), body)
  }

  test.each(blocks(document, 'console').flatMap(transcript))(
    'P41 prints what it shows: $command',
    async ({ command, output }) => {
      const env = { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` }
      // `npx` finds the `wat` of the folder it is typed in: those commands are for the checkout itself.
      const place = command.includes('npx ') ? root : cwd
      const { stdout } = await run('sh', ['-c', command], { cwd: place, env }).catch(
        (error: { stdout: string }) => error,
      )
      const shown = stdout.replace(/:(pid|pgid|parent) \d+/g, ':$1 4242').trimEnd()
      const [start = '', end] = output.split(' … ') // something is left out
      if (end === undefined) return expect(shown).toBe(output)
      expect([shown.slice(0, start.length), shown.slice(-end.length)]).toEqual([start, end])
    },
    60_000, // npm comes first
  )
})

function transcript(block: string): { command: string; output: string }[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map(entry => {
      const [command = '', ...output] = entry.trimEnd().split('\n')
      return { command, output: output.join('\n') }
    })
}
