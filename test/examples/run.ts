import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, type Lab } from '../support/lab.ts'
import type { Outcome } from '../support/live.ts'
import { repository } from '../support/machine.ts'

export const examples = path.join(repository, 'examples')

/** Runs an example to its end; without an input its stdin stays open, like a terminal. */
export function run(lab: Lab, program: string, input?: string): Promise<Outcome> {
  const live = lab.start(program, { env: { TMPDIR: lab.folder() } })
  return input === undefined ? live.ended : live.end(input)
}

/** A copy of all examples, in a file of which one text is replaced by another. */
export function changed(lab: Lab, name: string, text: string, by: string): string {
  const folder = lab.folder()
  cpSync(examples, folder, { recursive: true })
  const file = path.join(folder, name)
  const source = readFileSync(file, 'utf8')
  expect(source).toContain(text)
  writeFileSync(file, source.replace(text, by))
  return folder
}
