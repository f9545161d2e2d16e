/** What a command line asks for. */
export type Command =
  | ({ kind: 'run'; program: string; args: string[] } & Settings)
  | ({ kind: 'eval'; expression: string; args: string[] } & Settings)
  | { kind: 'host'; address: string; secret?: string; cert?: string; key?: string }
  | { kind: 'print'; text: string }
  | { kind: 'usage'; message: string }

interface Settings {
  pretty: boolean
  /** Bytes of the largest form; absent: the default. */
  maxFrame?: number
}

const HELP = `Usage: wat [options] program.ts [args...]
       wat [options] -e 'expression' [args...]
       wat host <address> [--secret <file>] [--cert <file> --key <file>]

Runs a TypeScript or JavaScript program as a process that reads EDN values on
stdin, writes EDN values on stdout and logs EDN records on stderr.

'wat host' starts programs for other hosts: those that know its secret can
spawnRemote(program, { at: address }). An address is tcp://host:port or
unix:/path; stdio: serves whoever holds stdin and stdout.

Options:
  -e, --eval <expression>  serve a function: wat -e 'n => n * 2'
      --max-frame <bytes>  the largest form that is read or replied, here and in
                           children: 64MiB, 500K. 16MiB unless given
      --pretty             write values over several lines, for people
  -h, --help               show this text
  -v, --version            show the version
      --secret <file>      host: 32 bytes, mode 0600; ~/.config/wat/secret, made
                           when it is missing
      --cert, --key <file> host: TLS, with this certificate and key (PEM)

Examples:
  echo '21' | wat double.ts
  seq 5 | wat -e 'n => n * n'
  wat host tcp://0.0.0.0:7000

Exit codes:
  0 done   1 a value's handler failed   2 panic   3 the program failed to load
  64 usage   65 malformed input   66 no such program   128+n died of signal n
`

/** Reads the arguments behind `wat`. What follows the program's name belongs to the program. */
export function parseCommand(argv: string[], version: () => string): Command {
  // No options, or none of ours, as every child is started: that needs no parser.
  const [first = ''] = argv
  if (first === '--') return run(argv.slice(1), undefined, { pretty: false })
  if (first === 'host') return host(argv.slice(1))
  if (first !== '' && !first.startsWith('-')) return run(argv, undefined, { pretty: false })
  // Not imported: an import of all of node:util loads parts of Node that open stderr, non-blocking.
  const { parseArgs } = process.getBuiltinModule('node:util')
  const { tokens } = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true })
  let expression: string | undefined
  const settings: Settings = { pretty: false }
  for (const token of tokens) {
    if (token.kind === 'option-terminator') return run(argv.slice(token.index + 1), expression, settings)
    if (token.kind === 'positional') return run(argv.slice(token.index), expression, settings)
    if (token.name === 'help') return { kind: 'print', text: HELP }
    if (token.name === 'version') return { kind: 'print', text: `wat ${version()}\n` }
    if (token.name === 'pretty' && token.value === undefined) settings.pretty = true
    else if (token.name === 'eval') {
      if (!token.value) return usage(`${token.rawName} needs an expression`)
      expression = token.value
    } else if (token.name === 'max-frame') {
      const bytes = bytesOf(token.value ?? '')
      if (bytes === undefined) return usage(`${token.rawName} needs a number of bytes, such as 64MiB`)
      settings.maxFrame = bytes
    } else if (token.name === 'pretty') return usage('--pretty takes no value')
    else return usage(`unknown option ${token.rawName}`)
  }
  return run([], expression, settings)
}

const options = {
  eval: { type: 'string', short: 'e' },
  pretty: { type: 'boolean' },
  'max-frame': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** A size as people write it: K, M and G, also with iB, are powers of 1024, with B of 1000. */
function bytesOf(text: string): number | undefined {
  const [, digits, unit = '', suffix = ''] = /^(\d+)(?:([KMG])(iB|B)?|B)?$/i.exec(text) ?? []
  const base = suffix.toLowerCase() === 'b' ? 1000 : 1024
  const bytes = Number(digits) * base ** (unit === '' ? 0 : 'KMG'.indexOf(unit.toUpperCase()) + 1)
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined
}

function run(rest: string[], expression: string | undefined, settings: Settings): Command {
  if (expression !== undefined) return { kind: 'eval', expression, args: rest, ...settings }
  const [program, ...args] = rest
  if (program === undefined || program === '') return usage('no program given')
  return { kind: 'run', program, args, ...settings }
}

function host(argv: string[]): Command {
  const { parseArgs } = process.getBuiltinModule('node:util')
  try {
    const { values, positionals } = parseArgs({ args: argv, options: hostOptions, allowPositionals: true })
    if (values.help) return { kind: 'print', text: HELP }
    const [address, ...more] = positionals
    if (address === undefined) return usage('host needs an address')
    if (more.length > 0) return usage(`host takes one address; unexpected ${more[0]}`)
    if ((values.cert === undefined) !== (values.key === undefined))
      return usage('--cert and --key go together')
    return { kind: 'host', address, ...values }
  } catch (error) {
    return usage(`host: ${(error as Error).message.split('. ')[0]}`)
  }
}

const hostOptions = {
  secret: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function usage(message: string): Command {
  return { kind: 'usage', message: `wat: ${message}; try 'wat --help'` }
}
