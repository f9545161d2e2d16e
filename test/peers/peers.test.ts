import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { fixture, installed, repository, wat } from '../support/machine.ts'

const peer = (name: string) => path.join(repository, 'test/peers', name)
const pythonIt = it.skipIf(!installed('python3'))

/** A program whose `foreign` is a process that speaks the wire and is no wat-vm: `command` plays Node. */
function parentOf(lab: Lab, command: string, source: string): string {
  const program = lab.program({
    'parent.ts': ts`
      import { kw, log, println, self, spawnProcess } from 'wat-vm'
      ${told}
      const node = process.execPath
      process.execPath = self.args[0]!
      const foreign = spawnProcess<any, any>('/foreign.ts', { stderr: 'pipe', stopGrace: 2000 })
      await foreign.ready
      process.execPath = node
      ${source}`,
  })
  const player = path.join(path.dirname(program), 'node')
  writeFileSync(player, `#!/bin/sh\nexec ${command} <&3 >&4\n`)
  chmodSync(player, 0o755)
  return program
}

const conversation = ts`
  await println(await Promise.all([1, 2, 3].map(n => foreign.call(n))))
  const refused: any = await told(foreign.call('text'))
  await println([refused.code, refused.message, refused.data, refused.address])
  await foreign.stdin.send({ plain: 'value' })
  await println(await foreign.stdout.recv())
  await println(await foreign.stop())
  for await (const { tag, value } of foreign.stderr) await println([tag.slice(4), (value as any).message])`

const death = ts`
  const dead: any = await told(foreign.call(kw('die')))
  await println([dead.code, dead.data.exit, dead.data.panic.message])
  const { code, panic } = await foreign.exited
  await println([code, panic!.message])`

const said = (name: string) => [
  [2, 4, 6],
  ['denied', 'numbers only', { got: 'text' }, '/foreign'],
  { plain: 'value' },
  { code: 0 },
  ['log', `${name} stops`],
]

const dead = (name: string) => [
  ['offline', { code: 9 }, `${name} gave up`],
  [9, `${name} gave up`],
]

async function facts(lab: Lab, command: string, source: string) {
  const program = parentOf(lab, command, source)
  return lab.facts(program, { args: [path.join(path.dirname(program), 'node')] })
}

describe('a peer in another language', () => {
  it('P15 POSIX sh is the child: it answers, refuses, echoes and stops', async ({ lab }) => {
    expect(await facts(lab, `sh ${peer('child.sh')}`, conversation)).toEqual(said('sh'))
    expect(await facts(lab, `sh ${peer('child.sh')}`, death)).toEqual(dead('sh'))
  })

  it('P15 POSIX sh is the parent: ready, replies, a fault, stop and exit code', async ({ lab }) => {
    const live = lab.command('sh', [peer('parent.sh'), lab.folder(), wat, fixture('careful-double.ts')])
    const { stdout, stderr, code } = await live.end()
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^#wat\/ready \{:protocol 1 :pid \d+ :address "\/sh\/child"\}$/),
      '#wat/rep [1 42]',
      '8',
      expect.stringMatching(
        /^#wat\/err \[2 \{:type :wat\/handler :message "not a number" :address "\/sh\/child"/,
      ),
      'exit 0',
      '',
    ])
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^#wat\/log \{.*:address "\/sh\/child".*"hook"\}\n$/),
    ])
  })

  it('P36 a parent in sh that is killed takes its wat-vm along: end of input is enough', async ({ lab }) => {
    const live = lab.command('sh', [
      '-c',
      '{ sleep 0.3; } | WAT_ADDRESS=/sh/child wat "$1"; echo "exit $?"',
      'sh',
      fixture('echo.ts'),
    ])
    expect((await live.end()).stdout).toMatch(/^#wat\/ready .*\nexit 0\n$/)
  })

  pythonIt(
    'P15 Python is the parent: a hundred requests, a fault, a cancel, a stop (needs python3)',
    async ({ lab }) => {
      const live = lab.command('python3', [peer('parent.py'), wat, fixture('careful-double.ts')])
      const { stdout, stderr, code } = await live.end()
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.trim().split('\n').slice(-2)).toEqual(['1', 'exit 0'])
    },
  )

  pythonIt(
    'P15 Python is the child: it answers, refuses, echoes and stops (needs python3)',
    async ({ lab }) => {
      expect(await facts(lab, `python3 ${peer('child.py')}`, conversation)).toEqual(said('python'))
      expect(await facts(lab, `python3 ${peer('child.py')}`, death)).toEqual(dead('python'))
    },
  )

  pythonIt(
    'P15 Python as the child answers out of order and sees a cancel (needs python3)',
    async ({ lab }) => {
      const source = ts`
      const held = [1, 2].map(() => foreign.call(kw('hold')))
      await println([await foreign.call(kw('release')), ...(await Promise.all(held))])
      const late: any = await told(foreign.call(kw('hold'), { timeout: 100 }))
      await println([late.code, await foreign.stdout.recv()])
      await foreign.stop()`
      const [order, cancel] = await facts(lab, `python3 ${peer('child.py')}`, source)
      expect(order.map(String)).toEqual(['2', ':released', ':released'])
      expect(cancel).toEqual(['timeout', 'cancelled 4'])
    },
  )
})
