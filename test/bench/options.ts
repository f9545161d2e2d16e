import { parseArgs } from 'node:util'
import type { Settings } from './figure.ts'

export interface Options extends Settings {
  /** Names of figures, or beginnings of names; all of them if there are none. */
  only: string[]
  json: string | undefined
}

export const USAGE = `Usage: npm run bench -- [options]

  --rounds N     rounds whose medians count, after one that warms up (default 7)
  --only NAME    only the figures whose name begins so; may be given more than once
  --json FILE    writes every sample to a file
  --quick        small amounts of everything: shows that the suite works, measures nothing
  --list         the names of the figures
`

const options = {
  rounds: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  quick: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Reads the command line; `'help'` and `'list'` ask for text. Throws on what it does not know. */
export function readOptions(argv: string[]): Options | 'help' | 'list' {
  const { values } = parseArgs({ args: argv, options })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const quick = values.quick ?? false
  const rounds = Number(values.rounds ?? (quick ? 1 : 7))
  if (!(Number.isSafeInteger(rounds) && rounds >= 1)) throw new Error('--rounds takes a number from 1')
  return { rounds, quick, sliceMs: quick ? 20 : 300, only: values.only ?? [], json: values.json }
}
