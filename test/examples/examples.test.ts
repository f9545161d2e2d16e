import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAll, stringify } from '../../runtime/edn/index.ts'
import { describe, expect, it } from '../support/lab.ts'
import { changed, examples, run } from './run.ts'

/** What runs, what it reads (nothing: a stdin that stays open, like a terminal), what it must say. */
const table: { name: string; promises: string; input?: string; says: (string | RegExp)[] }[] = [
  { name: 'double', promises: 'P17', input: '21', says: [/^42$/] },
  { name: 'square', promises: 'P17', input: '3 4', says: [/^9\n16$/] },
  {
    name: 'both',
    promises: 'P17 P25',
    input: '3 4',
    says: ['{:double 6 :square 9}\n{:double 8 :square 16}'],
  },
  { name: 'counter', promises: 'P26', says: ['{:address "/counter" :count 5050}', '/counter/2" :count 1}'] },
  { name: 'pipeline', promises: 'P8 P9', says: [':values 2000 :sum 2668667000'] },
  {
    name: 'tree',
    promises: 'P25',
    input: '[1 2 3]',
    says: ['{:sum 6 :processes [{:address "/"', '"/c/right"'],
  },
  { name: 'isolation', promises: 'P14 P25', says: ['"/a/inner"', ':processes 5', ':shared 0'] },
  { name: 'crash', promises: 'P28 P29', says: ['[2 nil 4]', '"cannot halve 7" "it is odd"', '"offline"'] },
  { name: 'backpressure', promises: 'P9', says: ['"/middle/leaf"', ':sent-mb 200 :received-mb 200'] },
  { name: 'lifecycle', promises: 'P29 P36', says: [':survivors 0', '"SIGKILL"', ':sibling-alive 3'] },
  {
    name: 'threads',
    promises: 'P42 P43 P48',
    says: [/^{:address "\/london\/reader" .* :sum 50005000}$/m, ':stopped {:signal "SIGKILL"}'],
  },
  {
    name: 'closure',
    promises: 'P46 P48',
    says: [
      /^{:by "\/process\/rated\/net" .* :price 10}\n{:by "\/thread" .* :price 35}$/m,
      '[{:name "given" :place "1:49"}]',
    ],
  },
  {
    name: 'remote',
    promises: 'P29 P36 P48',
    says: ['{:at "unix:/', '{:at "tcp://127.0.0.1:', '{:sum 10 :call "offline" :survivors 0 :other 5}'],
  },
  {
    name: 'ssh',
    promises: 'P36 P46 P47 P48',
    says: ['{:program "function"', '{:program "file"', '{:call "offline" :survivors 0}'],
  },
  {
    name: 'polyglot',
    promises: 'P15',
    says: [
      /^{:peer "python3" (:calls \[2 4 6\] :refused "denied" :plain 8 :exit 0|:skipped "python3 is not installed")}$/m,
      '{:peer "sh" :calls [2 4 6]',
      '{:filter "awk" :says [7] :exit 0}',
      ':k]} "two\\nlines"] :exit 0}',
    ],
  },
  {
    name: 'tokens',
    promises: 'P90 P91',
    says: [
      '{:words 9 :text "the quick brown fox',
      ':through "/writer/n/n"}',
      '{:first ["one" "two"] :cleaned 2}',
    ],
  },
  {
    name: 'tail',
    promises: 'P90 P91',
    says: ['{:lines ["line 1" "line 2" "line 3"] :from "/branch/leaf"}', '{:watching 0 :exit {:code 0}}'],
  },
  {
    name: 'siblings',
    promises: 'P83 P84 P85',
    says: [/^{:kid "\/a" .* :counts 100 /m, '{:total 200 :after-a-kill 201 :disposed true}'],
  },
  {
    name: 'capability',
    promises: 'P83 P84 P85 P87',
    says: [
      '{:read ["tea" nil "tea"]}',
      ':write "no-handler"',
      ':fourth "overloaded"',
      '{:revoked ["denied" "denied"] :owner "tea"}',
    ],
  },
  {
    name: 'progress',
    promises: 'P83 P84 P86',
    says: ['{:call 1 :reports [0.25 0.5 0.75 1.0]', ':reports [0.25 0.5] :sum 125250', ':released 2}'],
  },
  { name: 'deep', promises: 'P25 P33', says: ['"/link/link/', ':levels 16 :left 0 :exit {:code 0}'] },
]

describe('the examples', () => {
  it('P40 every file of examples/ is in the table', () => {
    const files = readdirSync(examples).filter(name => name.endsWith('.ts'))
    expect(table.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort())
  })

  it.for(table)(
    'P40 $promises $name shows what it claims, and leaves nothing behind',
    async (row, { lab }) => {
      const { code, stdout, stderr } = await run(lab, path.join(examples, `${row.name}.ts`), row.input)
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
      for (const words of row.says) expect(stdout.trim()).toMatch(words)
      expectForms(stdout)
    },
  )

  it.for(['counter', 'isolation', 'crash'])('P40 P23 %s needs no stdin', async (name, { lab }) => {
    const { code } = await run(lab, path.join(examples, `${name}.ts`), '')
    expect(code).toBe(0)
  })

  it('P40 each file can be read at a glance', () => {
    const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.ts'),
    )
    const lines = (name: string) =>
      readFileSync(path.join(examples, name), 'utf8').trimEnd().split('\n').length
    expect(files.filter(name => lines(name) > 40)).toEqual([])
    expect(files.length).toBeGreaterThan(table.length)
  })
})

describe('tree', () => {
  const tree = path.join(examples, 'tree.ts')

  it('P40 P17 answers every vector of numbers, in order', async ({ lab }) => {
    const { code, stdout } = await run(lab, tree, '[5] [] [1.5 -2]\n[1 2 3 4 5 6 7]')
    expect(code).toBe(0)
    const answers = parseAll(stdout) as { sum: number; processes: unknown[] }[]
    expect(answers.map(({ sum, processes }) => [sum, processes.length])).toEqual([
      [5, 10],
      [0, 10],
      [-0.5, 10],
      [28, 10],
    ])
  })

  it('P40 P21 says clearly what it does not take', async ({ lab }) => {
    const { code, stdout, stderr } = await run(lab, tree, '1 "x" {:a 1} [1 "2"] #{1 2} nil')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    const fault = '#wat/fault {:type :wat/malformed :message "tree takes vectors of numbers, such as [1 2 3]"'
    expect(stderr.split('\n').filter(line => line.startsWith(fault)).length).toBe(6)
  })

  it('P40 P21 answers the next value after a bad one, and exits with 1', async ({ lab }) => {
    const { code, stdout } = await run(lab, tree, '"x" [2]')
    expect(code).toBe(1)
    expect(stdout).toContain('{:sum 2 :processes [')
  })
})

describe('polyglot', () => {
  it('P40 P15 says what it leaves out when python3 is not there', async ({ lab }) => {
    const folder = changed(lab, 'polyglot.ts', '{ python3:', '{ nopython:')
    const { code, stdout, stderr } = await run(lab, path.join(folder, 'polyglot.ts'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('{:peer "nopython" :skipped "nopython is not installed"}\n{:peer "sh" :calls')
  })
})

/** One form a line, each of them EDN that can be written back. */
function expectForms(stdout: string): void {
  expect(stdout.endsWith('\n')).toBe(true)
  for (const line of stdout.trimEnd().split('\n')) {
    const forms = parseAll(line)
    expect(forms.length).toBe(1)
    expect(parseAll(stringify(forms[0]))).toEqual(forms)
  }
}
