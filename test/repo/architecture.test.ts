import { describe, expect, test } from 'vitest'
import {
  blocks,
  delaysOf,
  importsOf,
  read,
  roomOf,
  section,
  sorted,
  sourceFiles,
  tableRows,
} from './sources.ts'

const ARCHITECTURE = 'docs/architecture.md'
const PROTOCOL = 'docs/protocol.md'
const PROCESS = 'docs/process.md'

/** The rooms that a room may import from: each is below it. */
const BELOW: Record<string, string[]> = {
  boot: ['index', 'listen', 'remote', 'thread', 'portable', 'vm', 'wire', 'io', 'edn', 'error', 'version'],
  index: ['listen', 'spawn', 'local', 'child', 'net', 'vm', 'wire', 'edn', 'error', 'ambient', 'version'],
  listen: ['spawn', 'child', 'net', 'vm', 'wire', 'io', 'edn', 'error', 'ambient'],
  spawn: ['remote', 'thread', 'local', 'child', 'net', 'channel', 'wire', 'error', 'ambient'],
  remote: ['local', 'child', 'net', 'vm', 'wire', 'io', 'edn', 'error', 'ambient'],
  thread: ['child', 'vm', 'wire', 'io', 'channel', 'edn', 'error', 'ambient'],
  local: ['child', 'vm', 'wire', 'io', 'edn', 'error', 'ambient'],
  child: ['portable', 'vm', 'wire', 'io', 'edn', 'error', 'ambient'],
  vm: ['portable', 'channel', 'wire', 'io', 'edn', 'error', 'ambient'],
  wire: ['io', 'edn', 'error', 'ambient'],
  io: ['channel'],
  jsedn: ['edn', 'error', 'version'],
  portable: ['error'],
  channel: ['error', 'version'],
  edn: ['error', 'version'],
  net: ['error', 'ambient'],
  error: [],
  ambient: [],
  version: [],
}

const MAX_LINES = 250

/** The reader's loop is one function, and that is what makes it fast (docs/architecture.md). */
/** One loop, and the place where all parts of a link meet. */
const LONG_FOR_A_REASON = new Set(['edn/scan.ts', 'wire/peer.ts'])

describe('P41 imports point one way', () => {
  const edges = sourceFiles.flatMap(file => importsOf(file).files.map(target => ({ file, target })))

  test('P41 a file imports only from its own room and from rooms below it', () => {
    const wrong = edges
      .filter(({ file, target }) => roomOf(file) !== roomOf(target))
      .filter(({ file, target }) => !BELOW[roomOf(file)]?.includes(roomOf(target)))
    expect(wrong).toEqual([])
  })

  test('P41 every import leads to a file that is there', () => {
    expect(edges.filter(({ target }) => !sourceFiles.includes(target))).toEqual([])
  })

  test('P41 no file imports itself by way of others', () => {
    expect(cycles()).toEqual([])
  })

  test('P41 the arrows between the rooms in the picture are the imports of the code', () => {
    const [picture = ''] = blocks(ARCHITECTURE, 'mermaid').filter(body => body.startsWith('flowchart'))
    const drawn = [...picture.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} --> ${to}`)
    const real = edges
      .map(({ file, target }) => [roomOf(file), roomOf(target)] as const)
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => `${from} --> ${to}`)
    expect(sorted(drawn)).toEqual(sorted(new Set(real)))
  })

  test('P41 the table of rooms lists every room', () => {
    const listed = tableRows(section(ARCHITECTURE, '## The rooms'))
      .filter(([, where]) => where?.startsWith('`runtime/'))
      .map(([room]) => room?.replaceAll('`', ''))
    expect(sorted(listed)).toEqual(sorted(Object.keys(BELOW)))
    expect([...new Set(sourceFiles.map(roomOf))].filter(room => !(room in BELOW))).toEqual([])
  })

  function cycles(): string[][] {
    const found: string[][] = []
    const done = new Set<string>()
    const visit = (file: string, way: string[]): void => {
      if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file])
      if (done.has(file) || way.includes(file)) return
      // One that names its own exports goes by way of no other.
      for (const target of importsOf(file).files) if (target !== file) visit(target, [...way, file])
      done.add(file)
    }
    for (const file of sourceFiles) visit(file, [])
    return found
  }
})

describe('P66 one file makes timers of numbers that come from elsewhere', () => {
  /** Files below `wire`, which have the function of their own that clamps. */
  const OWN = new Map([
    ['wire/timers.ts', /^delayMs\(ms\)$/],
    ['net/auth.ts', /^Math\.min\(ms, LONGEST_TIMER_MS\)$/],
  ])

  test('P66 every other delay is a constant', () => {
    const wrong = sourceFiles.flatMap(file =>
      delaysOf(file)
        .filter(delay => !/^(\d+|[A-Z][A-Z0-9_]*)$/.test(delay) && !OWN.get(file)?.test(delay))
        .map(delay => `${file}: ${delay}`),
    )
    expect(wrong).toEqual([])
  })

  test('P66 there are such timers, and this finds them', () => {
    expect([...OWN.keys()].map(file => delaysOf(file).length > 0)).toEqual([true, true])
    expect(sourceFiles.flatMap(delaysOf).length).toBeGreaterThan(10)
  })
})

describe('P41 one dependency has one importing file', () => {
  test('P41 each package is imported by the file the table names, and no other package is', () => {
    const table = tableRows(section(ARCHITECTURE, '## The rooms'))
      .filter(([, file]) => file?.endsWith('.ts`') && !file.startsWith('`runtime/'))
      .map(([name, file]) => `${name} ${file}`.replaceAll('`', ''))
    const real = sourceFiles.flatMap(file => importsOf(file).packages.map(name => `${name} ${file}`))
    expect(sorted(new Set(real))).toEqual(sorted(table))
    expect(table.map(row => row.split(' ')[0])).toEqual([
      'execa',
      'tree-kill',
      'jsedn',
      'acorn',
      'eslint-scope',
    ])
  })

  test(`P41 no file is longer than ${MAX_LINES} lines`, () => {
    const long = sourceFiles
      .map(file => ({ file, lines: read(`runtime/${file}`).trimEnd().split('\n').length }))
      .filter(({ file, lines }) => lines > MAX_LINES && !LONG_FOR_A_REASON.has(file))
    expect(long).toEqual([])
  })
})

describe("P41 the picture of a request's way agrees with the code", () => {
  const [text = ''] = blocks(ARCHITECTURE, 'text').filter(body => body.startsWith('request\n'))
  const steps = text
    .trimEnd()
    .split('\n')
    .map(line => /^ {2}(\S+) (->|<-) (\S+) {2,}(.+)$/.exec(line) ?? line)

  test('P41 it has a way there and a way back, each over one pipe', () => {
    const marks = steps.filter(step => typeof step === 'string')
    expect(marks).toEqual(['request', 'pipe', '', 'reply', 'pipe'])
  })

  test('P41 each step is an import: of what is called, or by whoever is called back', () => {
    const wrong: string[] = []
    for (const step of steps) {
      if (typeof step === 'string') continue
      const [line, from = '', arrow, to = ''] = step
      const [importer, imported] = arrow === '->' ? [from, to] : [to, from]
      if (!sourceFiles.includes(importer) || !importsOf(importer).files.includes(imported)) wrong.push(line)
    }
    expect(wrong).toEqual([])
  })

  test('P41 each step starts where the way has been', () => {
    const jumps: string[] = []
    let been: Set<string> | undefined
    for (const step of steps) {
      if (typeof step === 'string') {
        been = undefined
        continue
      }
      const [line, from = '', , to = ''] = step
      been ??= new Set([from])
      if (!been.has(from)) jumps.push(line)
      been.add(to)
    }
    expect(jumps).toEqual([])
  })

  test('P41 the functions it names are in the files it names', () => {
    const unknown: string[] = []
    for (const step of steps) {
      if (typeof step === 'string') continue
      const [line, from = '', , to = '', what = ''] = step
      const both = read(`runtime/${from}`) + read(`runtime/${to}`)
      const names = what
        .split(/[^\w.]/)
        .filter(word => /^(?:\w+\.)?[a-z]+[A-Z]\w*$|^(?:Reader|Outbox)\.\w+$/.test(word))
      const missing = names.filter(name => !new RegExp(`\\b${name.split('.').at(-1)}\\b`).test(both))
      unknown.push(...missing.map(name => `${name}: ${line}`))
    }
    expect(unknown).toEqual([])
  })
})

describe('P41 the picture of a life agrees with the code', () => {
  const [picture = ''] = blocks(ARCHITECTURE, 'mermaid').filter(body => body.startsWith('stateDiagram'))
  const arrows = [...picture.matchAll(/^ {2}(\S+) --> (\S+?)(?:: (\w+) \((\S+)\))?$/gm)]

  test('P41 every change of state is a function of the file it names', () => {
    expect(arrows.length).toBeGreaterThan(5)
    const wrong = arrows.filter(
      ([, , to, name, file]) =>
        to !== '[*]' && !(name && new RegExp(`function ${name}\\b`).test(read(`runtime/${file}`))),
    )
    expect(wrong.map(([line]) => line)).toEqual([])
  })

  test('P41 the table explains every state', () => {
    const drawn = new Set(arrows.flatMap(([, from, to]) => [from, to]).filter(state => state !== '[*]'))
    const explained = tableRows(section(ARCHITECTURE, '## The life of a process')).flatMap(([state]) =>
      state?.startsWith('`') ? [state.replaceAll('`', '')] : [],
    )
    expect(sorted(explained)).toEqual(sorted(drawn))
  })

  test('P41 the steps of a stop come in the order of the code', () => {
    const [text = ''] = blocks(ARCHITECTURE, 'text').filter(body => body.startsWith('finishWork'))
    const names = text
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')[0] ?? '')
    const code = read('runtime/vm/lifecycle.ts')
    const body = /^async function end\(\).*?^}/ms.exec(code)?.[0] ?? ''
    const places = names.map(name => body.search(new RegExp(`\\b${name}\\(`)))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(body.match(/await /g)).toHaveLength(names.length)
  })

  test('P41 the rungs come in the order of the code', () => {
    const [text = ''] = blocks(ARCHITECTURE, 'text').filter(body => body.startsWith('ask'))
    const names = text
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')[0] ?? '')
    const body = /^export async function climb.*?^}/ms.exec(read('runtime/child/ladder.ts'))?.[0] ?? ''
    expect([...body.matchAll(/rungs\.(\w+)\(/g)].map(([, name]) => name)).toEqual(names)
  })
})

describe('P41 the tables of the documents agree with the code', () => {
  test('P41 every limit has the value of its constant', () => {
    const limits = tableRows(section(PROTOCOL, '## Limits and backpressure')).filter(([name]) =>
      name?.startsWith('`'),
    )
    expect(limits.length).toBeGreaterThan(10)
    const code = sourceFiles.map(file => read(`runtime/${file}`)).join('\n')
    const listed = limits.map(([name = '', value = '']) => [name.replaceAll('`', ''), [amount(value)]])
    const real = listed.map(([name]) => {
      const definitions = code.matchAll(new RegExp(`^(?:export )?const ${String(name)} = (.+)$`, 'gm'))
      return [name, [...definitions].map(([, value = '']) => amount(value))]
    })
    expect(listed).toEqual(real)
  })

  test('P41 every limit of the wire is in the table', () => {
    const names = [...read('runtime/wire/limits.ts').matchAll(/^export const (\w+)/gm)].map(
      ([, name]) => name ?? '',
    )
    const table = section(PROTOCOL, '## Limits and backpressure')
    expect(names.filter(name => !name.endsWith('PROTOCOL') && !table.includes(`\`${name}\``))).toEqual([])
  })

  test('P41 the frames are those of the vocabulary', () => {
    const tags = [...read('runtime/wire/frames.ts').matchAll(/^ {2}\w+: '(wat\/\w+)'/gm)].map(
      ([, tag]) => `#${tag}`,
    )
    const listed = tableRows(section(PROTOCOL, '## Frames')).flatMap(
      ([cell]) => /#wat\/\w+/.exec(cell ?? '')?.[0] ?? [],
    )
    expect(sorted(listed)).toEqual(sorted(tags))
  })

  test('P41 the types of faults are the codes of WatError', () => {
    const codes = [...read('runtime/error.ts').matchAll(/^ {2}\| '([\w-]+)'/gm)].map(
      ([, code]) => `:wat/${code}`,
    )
    const listed = tableRows(section(PROTOCOL, '## Faults')).flatMap(
      ([cell]) => /^`(:wat\/[\w-]+)`$/.exec(cell ?? '')?.[1] ?? [],
    )
    expect(sorted(listed)).toEqual(sorted(codes))
  })

  test('P41 the variables of the environment are those of the code', () => {
    const names = [...read('runtime/vm/identity.ts').matchAll(/'(WAT_\w+)'/g)].map(([, name]) => name)
    const listed = tableRows(section(PROTOCOL, '## Environment')).flatMap(
      ([cell]) => /^`(WAT_\w+)`$/.exec(cell ?? '')?.[1] ?? [],
    )
    expect(sorted(listed)).toEqual(sorted(names))
  })

  test('P41 the exits are those of the code, here and in the README', () => {
    const code = [...read('runtime/vm/status.ts').matchAll(/^ {2}\w+: (\d+),$/gm)].map(([, exit]) =>
      Number(exit),
    )
    const exitsIn = (text: string) =>
      tableRows(text)
        .flatMap(cells => cells.filter(cell => /^\d+$/.test(cell)).map(Number))
        .toSorted((a, b) => a - b)
    expect(exitsIn(section(PROCESS, '## Exits'))).toEqual(code)
    expect(exitsIn(section('README.md', '## The command'))).toEqual(code)
  })

  test('P41 the shares of the kill ladder are those of the code', () => {
    const constant = (file: string, name: string) =>
      new RegExp(`const ${name} = ([\\d.]+)$`, 'm').exec(read(`runtime/${file}`))?.[1]
    const ladder = section(PROCESS, '## The kill ladder')
    expect(ladder).toContain(`| ${constant('child/ladder.ts', 'ASK_SHARE')} G `)
    expect(ladder).toContain(`| G + ${constant('child/ladder.ts', 'SLACK_MS')} ms `)
    expect(ladder).toContain(`are ${constant('child/ladder.ts', 'INNER_SLACK_SHARE')} G`)
    expect(ladder).toContain(`${constant('local/os-process.ts', 'SILENCE_MS')} ms`)
    expect(read(PROCESS)).toContain(
      `with \`ps\` for ${constant('local/treekill.ts', 'LISTING_MS')} ms at most`,
    )
    expect(section(PROCESS, '## Spares')).toContain(`within ${constant('local/spares.ts', 'TAKE_MS')} ms`)
    const end = section(PROCESS, '## End')
    expect(end).toContain(`in a child ${constant('vm/signals.ts', 'CHILD_SHARE')} of it`)
    expect(end).toContain(`${constant('vm/lifecycle.ts', 'RESERVE_LEAST_MS')} ms at least`)
    expect(end).toContain(`${constant('vm/lifecycle.ts', 'RESERVE_MOST_MS')} ms at most`)
    expect(constant('vm/lifecycle.ts', 'RESERVE_SHARE')).toBe('0.2') // "a fifth"
  })
})

function amount(expression: string): number {
  if (expression.includes('**')) {
    const [, base, power, less = 0] = /^(\d+) \*\* (\d+)(?: - (\d+))?/.exec(expression) ?? []
    return Number(base) ** Number(power) - Number(less)
  }
  return expression
    .split(/[*×]/)
    .map(factor => Number(factor.trim().replaceAll('_', '')))
    .reduce((product, factor) => product * factor, 1)
}
