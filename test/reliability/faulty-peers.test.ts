import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { fixture, installed, wat } from '../support/machine.ts'
import { secretFile } from '../tiers/tiers.ts'

/** Values that are objects with a `toString` that is none, and others that are not what stands there usually. */
const ODD = [
  '{:toString 1}',
  '[{:toString 1}]',
  '#x/y {:toString nil}',
  ':constructor',
  '"__proto__"',
  '##NaN',
  '-1',
  'nil',
  '1e400',
  '#{}',
  '9'.repeat(3000),
]
const DEEP = 'DEEP' // the fixtures put a chain of 50,000 causes there

const odd = (form: (value: string) => string) => ODD.map(form)

/** Starts faulty processes, some at a time, and tells that each has ended or was ended, and that a good one works. */
const parent = ts`
  import { connect, listen, println, self, spawnProcess, spawnRemote } from 'wat-vm'
  ${told}
  const [kind, node, double, secret, folder, ...rest] = self.args as string[]
  const good = spawnProcess<number, number>(double!)
  const lists: string[][] = JSON.parse(rest[0]!)
  let at = 0
  const one = async (args: string[]) => {
    const options = { stopGrace: 300 }
    const command = { command: node!, args }
    const listener = kind === 'server' ? await listen('unix:' + folder + '/s' + at++, command, { secret, stopGrace: 300 }) : undefined
    const faulty = kind === 'child' ? spawnProcess<any, any>(command, options)
      : kind === 'server' ? connect<any, any>(listener!.address, { secret, stopGrace: 300 })
      : spawnProcess<any, any>(double!, { ...options, via: [node!, ...args] })
    const call = await told(faulty.call(1, { timeout: 200 }))
    const ready = await Promise.race([told(faulty.ready), new Promise(resolve => setTimeout(resolve, 200, 'waits'))])
    const exit = await faulty.stop()
    await listener?.close()
    if (!('code' in call)) await println([args, call])
    if (await good.call(21) !== 42) await println('the sibling')
  }
  await Promise.all(Array.from({ length: 4 }, async () => { for (let args; (args = lists.shift()); ) await one(args) }))
  await println('fine')`

async function outlives(lab: Lab, kind: string, file: string, lists: string[][]): Promise<void> {
  const program = lab.program(parent)
  const list = JSON.stringify(lists.map(lines => ['--no-warnings', fixture(file), ...lines]))
  const args = [kind, process.execPath, fixture('double.ts'), secretFile(lab), lab.folder(), list]
  const { code, stdout, stderr } = await lab.run(program, { args })
  expect([code, stdout], stderr.slice(0, 4000)).toEqual([0, '"fine"\n'])
}

describe('a process is not ended by what others send', () => {
  it('P64 P32 a child whose frames make no sense', async ({ lab }) => {
    await outlives(lab, 'child', 'writes-lines.ts', [
      odd(value => `#wat/rep [${value} 1]`),
      odd(value => `#wat/err [${value} 1]`),
      odd(value => `#wat/stop {:grace-ms ${value}}`),
      odd(value => `#wat/exit {:code ${value} :signal ${value} :panic ${value}}`),
      odd(value => `#wat/run ${value}`),
      odd(value => `#wat/${value}`),
      ...odd(value => `#wat/ready {:protocol ${value} :pid ${value} :address ${value}}`).map(line => [line]),
      ...odd(value => `#wat/err [1 ${value}]`).map(line => [line]),
      ...odd(
        value =>
          `#wat/err [1 {:type ${value} :message ${value} :address ${value} :exit ${value} :cause ${value} :panic ${value} :stack ${value}}]`,
      ).map(line => [line]),
      [`#wat/err [1 ${DEEP}]`],
      [`#wat/err [1 {:type :wat/offline :message "m" :exit {} :panic ${DEEP}}]`],
      [`#wat/exit {:panic ${DEEP}}`],
    ])
  }, 60_000)

  it('P64 P32 a child whose records make no sense', async ({ lab }) => {
    await outlives(lab, 'child', 'writes-lines.ts', [
      [
        '--',
        ...odd(
          value =>
            `#wat/log {:level ${value} :at ${value} :address ${value} :message ${value} :data ${value}}`,
        ),
      ],
      [
        '--',
        ...odd(value => `#wat/log ${value}`),
        ...odd(value => `#wat/raw ${value}`),
        ...odd(value => `#wat/fault ${value}`),
      ],
      ['--', ...odd(value => `#wat/panic ${value}`)],
      [
        '--',
        ...odd(
          value =>
            `#wat/panic {:type ${value} :message ${value} :cause ${value} :panic ${value} :exit ${value}}`,
        ),
      ],
      ['--', `#wat/panic ${DEEP}`],
      ['--', `#wat/panic {:message "m" :exit {} :type :wat/offline :panic ${DEEP}}`],
      ['--', `#wat/fault ${DEEP}`, `#wat/log ${DEEP}`],
    ])
  }, 60_000)

  it('P64 P32 a server whose frames make no sense', async ({ lab }) => {
    await outlives(lab, 'server', 'writes-lines.ts', [
      ...odd(value => `#wat/exit {:code ${value} :signal ${value}}`).map(line => [line]),
      ...odd(value => `#wat/exit {:code 0 :panic ${value}}`).map(line => [line]),
      [`#wat/exit {:code 2 :panic ${DEEP}}`],
      [`#wat/err [1 ${DEEP}]`],
    ])
  }, 60_000)

  it('P64 P49 a host whose control lane makes no sense', async ({ lab }) => {
    await outlives(lab, 'host', 'lies-in-lanes.ts', [
      ...odd(value => `#wat/host {:protocol ${value}}`).map(line => ['at-once', line]),
      ...odd(value => `#wat/launched {:pid ${value}}`).map(line => ['after-hello', line]),
      ...odd(value => `#wat/exit {:code ${value} :signal ${value}}`).map(line => ['after-hello', line]),
      ...odd(value => `#wat/refused ${value}`).map(line => ['after-hello', line]),
      ['after-hello', `#wat/refused ${DEEP}`],
      ['after-hello', ...odd(value => `#wat/${value}`)],
      ['after-hello', '#wat/exit', '))', 'nil', '#wat/exit nil'],
    ])
  }, 90_000)

  it('P64 P49 a client of a host whose launch or orders make no sense, or are too many', async ({ lab }) => {
    const launch = (fields: string) =>
      `#wat/launch {:protocol 1 :kind "file" :program "${fixture('double.ts')}" :args [] :env [] :cwd nil :name "n" :address "/n" :stop-grace-ms 100 :max-frame 1000000 :exec-argv [] :silence-ms 10000 ${fields}}`
    const bad = (field: string, value: string) =>
      launch('').replace(new RegExp(`:${field} (\\[\\]|"[^"]*"|nil|\\d+)`), `:${field} ${value}`)
    const lines: string[][] = [
      ...[
        'kind',
        'program',
        'args',
        'env',
        'cwd',
        'name',
        'address',
        'stop-grace-ms',
        'max-frame',
        'exec-argv',
        'silence-ms',
      ].flatMap(field => ODD.slice(0, 6).map(value => [bad(field, value)])),
      [bad('env', '[["A" {:toString 1}]]')],
      [bad('env', '["AB"]')],
      [bad('env', '[[]]')],
      [bad('args', '[{:toString 1}]')],
      [bad('exec-argv', '[1]')],
      [bad('name', '"\\u0000"')],
      odd(value => `#wat/signal {:name ${value} :group ${value}}`),
      ['#wat/signal {:name "SIGNONE" :group false}', '#wat/signal {:name "constructor"}'],
      Array.from({ length: 20_000 }, () => '#wat/signal {:name "SIGUSR1"}'),
    ]
    const secret = secretFile(lab)
    const socket = path.join(lab.folder(), 's')
    const serving = lab.command(wat, ['host', `unix:${socket}`, '--secret', secret])
    expect(await serving.stdout.value()).toBe(`unix:${socket}`)
    const { dial } = await import('../../runtime/net/dial.ts')
    for (const list of lines) {
      const stream = await dial(`unix:${socket}`, { secret: secret })
      const closed = new Promise(resolve => stream.once('close', resolve))
      stream.resume().once('end', () => stream.end())
      for (const line of list) {
        const bytes = Buffer.from(`${line}\n`)
        const head = Buffer.alloc(5)
        head.writeUInt32BE(bytes.length, 1)
        stream.write(Buffer.concat([head, bytes]))
      }
      if (list[0]?.startsWith('#wat/signal') === true) stream.end()
      setTimeout(() => stream.destroy(), 100).unref()
      await closed
    }
    expect(
      await lab.facts(
        lab.program(ts`
      import { println, self, spawnRemote } from 'wat-vm'
      const [at, secret, program] = self.args as [string, string, string]
      const remote = spawnRemote<number, number>(program, { at, secret })
      await println(await remote.call(21))`),
        { args: [`unix:${socket}`, secret, fixture('double.ts')] },
      ),
    ).toEqual([42])
    serving.signal('SIGTERM')
    expect((await serving.ended).signal).toBe('SIGTERM')
  }, 60_000)

  it.skipIf(!installed('script'))(
    'P64 P19 a root at a terminal shows records that make no sense (needs `script`)',
    async ({ lab }) => {
      const folder = lab.folder()
      const records = [
        ...odd(
          value =>
            `#wat/log {:level ${value} :at ${value} :address ${value} :message ${value} :data ${value}}`,
        ),
        ...odd(value => `#wat/raw ${value}`),
        ...odd(value => `#wat/panic ${value}`),
        ...odd(value => `#wat/fault ${value}`),
        ...odd(value => `#wat/fault {:type ${value} :cause ${value} :exit ${value} :stack ${value}}`),
        `#wat/fault ${DEEP}`,
        `#wat/raw ${DEEP}`,
      ]
      writeFileSync(path.join(folder, 'records.json'), JSON.stringify(records))
      const program = lab.program(ts`
      import { readFileSync, writeFileSync } from 'node:fs'
      import { self, spawnProcess } from 'wat-vm'
      const [node, faulty, folder] = self.args as [string, string, string]
      const records = JSON.parse(readFileSync(folder + '/records.json', 'utf8'))
      const child = spawnProcess<any, any>({ command: node, args: [faulty, '--', ...records] }, { stopGrace: 300 })
      await child.call(1, { timeout: 1000 }).catch(() => {})
      await child.stop()
      writeFileSync(folder + '/done', 'fine')`)
      const line = [wat, program, process.execPath, fixture('writes-lines.ts'), folder].join(' ')
      const { stdout } = await lab.command('script', ['-qec', line, '/dev/null']).end()
      expect(
        existsSync(path.join(folder, 'done')) && readFileSync(path.join(folder, 'done'), 'utf8'),
        stdout.slice(-3000),
      ).toBe('fine')
      expect(stdout).toContain('an object that cannot be read')
    },
  )
})
