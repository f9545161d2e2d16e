/** What a command line asks for. */
export type Command =
  | { kind: 'run'; program: string; args: string[]; pretty: boolean }
  | { kind: 'eval'; expression: string; args: string[]; pretty: boolean }
  | { kind: 'host'; address: string; secret?: string; cert?: string; key?: string }
  | { kind: 'print'; text: string }
  | { kind: 'usage'; message: string }

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
  if (first === '--') return run(argv.slice(1), undefined, false)
  if (first === 'host') return host(argv.slice(1))
  if (first !== '' && !first.startsWith('-')) return run(argv, undefined, false)
  // Not imported: an import of all of node:util loads parts of Node that open stderr, non-blocking.
  const { parseArgs } = process.getBuiltinModule('node:util')
  const { tokens } = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true })
  let expression: string | undefined
  let pretty = false
  for (const token of tokens) {
    if (token.kind === 'option-terminator') return run(argv.slice(token.index + 1), expression, pretty)
    if (token.kind === 'positional') return run(argv.slice(token.index), expression, pretty)
    if (token.name === 'help') return { kind: 'print', text: HELP }
    if (token.name === 'version') return { kind: 'print', text: `wat ${version()}\n` }
    if (token.name === 'pretty' && token.value === undefined) pretty = true
    else if (token.name === 'eval') {
      if (!token.value) return usage(`${token.rawName} needs an expression`)
      expression = token.value
    } else if (token.name === 'pretty') return usage('--pretty takes no value')
    else return usage(`unknown option ${token.rawName}`)
  }
  return run([], expression, pretty)
}

const options = {
  eval: { type: 'string', short: 'e' },
  pretty: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

function run(rest: string[], expression: string | undefined, pretty: boolean): Command {
  if (expression !== undefined) return { kind: 'eval', expression, args: rest, pretty }
  const [program, ...args] = rest
  if (program === undefined || program === '') return usage('no program given')
  return { kind: 'run', program, args, pretty }
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
