import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseAll } from '../../runtime/edn/index.ts'
import { cases, inputOf } from '../edn/cases.ts'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { fixture, installed, repository, wat } from '../support/machine.ts'

const example = (name: string) => path.join(repository, 'examples/peers', name)
const peer = (name: string) => path.join(repository, 'test/peers', name)
const pythonIt = it.skipIf(!installed('python3'))

/** Every shell of this machine that the peer in sh is to run in: Debian's, Alpine's, and one with more. */
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(([shell = '']) => installed(shell))

/** All it says to hand-written frames: on stdout, the types on stderr, and its exit code. */
async function answers(lab: Lab, command: string[], frames: string | Uint8Array, env = {}) {
  const [file = '', ...args] = command
  const { stdout, stderr, code } = await lab.command(file, args, { env }).end(frames)
  const types = [...stderr.matchAll(/^#wat\/fault \{:type :wat\/([\w-]+)/gm)].map(([, type]) => type)
  return { said: stdout.split('\n').slice(0, -1), types, code }
}

/** What has become of each request: its reply, or the type of its fault. */
function outcomes(said: string[]): Record<string, string> {
  const answer = /^#wat\/(?:rep|err) \[(\d+) (?:\{:type :wat\/)?(.*?)(?: :message.*)?\]$/
  return Object.fromEntries(said.flatMap(line => (answer.exec(line) ? [answer.exec(line)!.slice(1)] : [])))
}

describe.each([
  { name: 'python', command: ['python3', example('peer.py')], has: installed('python3') },
  ...shells.map(shell => ({ name: shell[0], command: [...shell, example('peer.sh')], has: true })),
])('the example peer in $name', ({ command, has }) => {
  const there = it.skipIf(!has)

  there(
    'P15 as a child it answers requests and plain values, and ends at the end of input',
    async ({ lab }) => {
      const { said, types, code } = await answers(
        lab,
        command,
        '4\n#wat/req [1 21]\n-3\n#wat/req [2 5 {:a 1}]\n6',
      )
      expect(said.filter(line => !line.startsWith('#'))).toEqual(['8', '-6', '12'])
      expect(said.filter(line => line.startsWith('#')).toSorted()).toEqual([
        '#wat/rep [1 42]',
        '#wat/rep [2 10]',
      ])
      expect({ types, code }).toEqual({ types: [], code: 0 })
    },
  )

  there('P15 as a child it refuses what it does not do, and what it does not know', async ({ lab }) => {
    const frames =
      '#wat/req [1 "text"]\n#wat/what [1]\n#wat/rep [1 1]\n#wat/req [0 1]\n#wat/cancel [1]\n#wat/req [9 4]\n'
    const { said, types, code } = await answers(lab, command, frames)
    expect(said.toSorted()).toEqual([
      expect.stringMatching(/^#wat\/err \[1 \{:type :wat\/denied :message "[\w ]+ only"/),
      '#wat/rep [9 8]',
    ])
    expect({ types, code }).toEqual({ types: ['malformed', 'malformed', 'malformed'], code: 65 })
  })

  there('P15 as a child it does not answer a plain value that fails, and exits with 1', async ({ lab }) => {
    expect(await answers(lab, command, '1\n"text"\n#wat/bytes "AA=="\n2\n')).toEqual({
      said: ['2', '4'],
      types: ['denied', 'denied'],
      code: 1,
    })
  })

  there('P15 as a child it is ready when it has an address, and stops when told to', async ({ lab }) => {
    const live = lab.command(command[0] ?? '', command.slice(1), { env: { WAT_ADDRESS: '/a/b' } })
    live.write('#wat/req [1 2]\n')
    expect(await live.stdout.line()).toBe(`#wat/ready {:protocol 1 :pid ${live.pid} :address "/a/b"}`)
    expect(await live.stdout.line()).toBe('#wat/rep [1 4]')
    live.write('#wat/stop {:grace-ms 2000}\n')
    const { code, stderr } = await live.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  there(
    'P15 P28 as the child of a wat-vm it answers, refuses, takes plain values and stops',
    async ({ lab }) => {
      const facts = await foreign(
        lab,
        command,
        ts`
      await println(await Promise.all([1, 2, 3].map(n => foreign.call(n))))
      const refused: any = await told(foreign.call('text'))
      await println([refused.code, refused.address])
      await foreign.stdin.send(4)
      await println(await foreign.stdout.recv())
      await println(await foreign.stop())`,
      )
      expect(facts).toEqual([[2, 4, 6], ['denied', '/foreign'], 8, { code: 0 }])
    },
  )

  there('P15 P29 as the child of a wat-vm that is killed, its calls reject', async ({ lab }) => {
    const facts = await foreign(
      lab,
      command,
      ts`
      await foreign.call(1)
      foreign.signal('SIGKILL')
      await foreign.exited
      await println(((await told(foreign.call(1))) as any).code)`,
    )
    expect(facts).toEqual(['offline'])
  })

  there('P15 as a parent it calls a wat-vm with every value and stops it', async ({ lab }) => {
    const [file = '', ...args] = command
    const live = lab.command(file, [...args, 'parent', fixture('careful-double.ts')])
    const { stdout, stderr, code } = await live.end('21\n"no number"\n-4\n')
    expect(stdout).toBe('42\n-8\n')
    expect(stderr).toContain('"not a number"')
    expect(stderr).toMatch(/^#wat\/log \{.*:address "\/child".*"hook"/m)
    expect(code).toBe(file === 'python3' ? 1 : 0)
  })

  there('P15 P36 as a parent it takes its wat-vm along, whatever it dies of', async ({ lab }) => {
    const [file = '', ...args] = command
    const live = lab.command(file, [...args, 'parent', fixture('careful-double.ts')])
    live.write('21\n')
    expect(await live.stdout.line()).toBe('42')
    live.signal('SIGKILL')
    await live.ended
  })
})

describe('the example peer in python', () => {
  pythonIt('P15 P8 takes any legal stream of forms, split anywhere (needs python3)', async ({ lab }) => {
    const live = lab.command('python3', [peer('child.py')])
    const text = `#_ #wat/stop {} , #wat/req [1 {:a "ü😀\\n\\u00e9" \\a #{1}} {:option true}] ; comment
      #wat/req
        [2 ; two
         (#_ x nil)] [1 #wat/bytes "AAE="] #inst "2020-01-01"\n\n5N`
    for (const byte of Buffer.from(text)) await live.writeAll(Uint8Array.of(byte))
    const { stdout, code } = await live.end()
    const said = stdout.trimEnd().split('\n')
    expect(said.filter(line => line.startsWith('#wat/')).toSorted()).toEqual([
      '#wat/rep [1 {:a "ü😀\\né" \\a #{1}}]',
      '#wat/rep [2 (nil)]',
    ])
    expect(said.filter(line => !line.startsWith('#wat/'))).toEqual([
      '[1 #wat/bytes "AAE="]',
      '#inst "2020-01-01"',
      '5N',
    ])
    expect(code).toBe(0)
  })

  pythonIt(
    'P15 P11 P12 goes on behind what it cannot read, and tells the caller (needs python3)',
    async ({ lab }) => {
      const frames = `#wat/req [1 (}]\n1\n#wat/req [2 "${'x'.repeat(300)}"] 2 #wat/req [3]\n3\n[`
      const { said, types, code } = await answers(lab, ['python3', peer('child.py')], frames, {
        WAT_MAX_FRAME_BYTES: '200',
      })
      expect(said.filter(line => /^\d/.test(line))).toEqual(['1', '2', '3'])
      expect(said.filter(line => line.startsWith('#'))).toEqual([
        expect.stringMatching(/^#wat\/err \[1 \{:type :wat\/malformed/),
        expect.stringMatching(/^#wat\/err \[2 \{:type :wat\/too-large/),
      ])
      expect({ types, code }).toEqual({
        types: ['malformed', 'too-large', 'malformed', 'malformed'],
        code: 65,
      })
    },
  )

  pythonIt('P15 P2 reads and refuses what our own reader does (needs python3)', async ({ lab }) => {
    // Decimals are spelt anew; what is inside #inst and #uuid is not looked at.
    const left = new Set(['float-13', 'tag-25', 'tag-26', 'tag-27'])
    const list = cases.filter(one => !left.has(one.id) && inputOf(one).length < 2000)
    const live = lab.command('python3', [peer('edn_cases.py')])
    const { stdout, code } = await live.end(JSON.stringify(list.map(inputOf)))
    expect(code).toBe(0)
    const theirs = (parseAll(stdout) as (string[] | null)[]).map(texts =>
      texts?.map(text => parseAll(text)[0]),
    )
    const other = list.filter((one, index) => !isDeepStrictEqual(theirs[index], readOrNot(inputOf(one))))
    expect(other.map(({ id }) => id)).toEqual([])
    expect(theirs.length).toBeGreaterThan(150)
  })

  pythonIt(
    'P15 answers in any order, plain values in theirs, a cancelled call not (needs python3)',
    async ({ lab }) => {
      const live = lab.command('python3', [peer('child.py')])
      live.write('#wat/req [1 :hold] #wat/req [2 :wait] #wat/req [3 3] 4 5 6\n')
      const first = [
        await live.stdout.line(),
        await live.stdout.line(),
        await live.stdout.line(),
        await live.stdout.line(),
      ]
      expect(first.filter(line => /^\d/.test(line ?? ''))).toEqual(['4', '5', '6'])
      expect(first).toContain('#wat/rep [3 3]')
      live.write('#wat/cancel [2] #wat/req [4 :release]\n')
      const released = [await live.stdout.line(), await live.stdout.line()]
      expect(new Set(released)).toEqual(new Set(['#wat/rep [1 :hold]', '#wat/rep [4 :release]']))
      expect(await live.stderr.line()).toBe('#wat/log {:level :info :message "cancelled"}')
      const { stdout, code } = await live.end()
      expect({ code, late: stdout.includes('[2 ') }).toEqual({ code: 0, late: false })
    },
  )

  pythonIt('P15 P6 keeps its frames and its environment to itself (needs python3)', async ({ lab }) => {
    const { said, code } = await answers(
      lab,
      ['python3', peer('child.py')],
      '#wat/req [7 :print] :env #wat/req [8 :throw]',
      { WAT_ADDRESS: '/x', WAT_NAME: 'x', WAT_STOP_GRACE_MS: '1000', WAT_MAX_FRAME_BYTES: '100000' },
    )
    expect(said[0]).toMatch(/^#wat\/ready /)
    expect(said.slice(1).toSorted()).toEqual([
      expect.stringMatching(
        /^#wat\/err \[8 \{:type :wat\/handler :message "'gone'" :address "\/x" :data \{:name "KeyError"\} :stack "/,
      ),
      '#wat/rep [7 :print]',
      '[]',
    ])
    expect(code).toBe(0)
  })

  pythonIt(
    'P15 P33 a stop refuses what is new and ends in time with what is stuck (needs python3)',
    async ({ lab }) => {
      const live = lab.command('python3', [peer('child.py')], { env: { WAT_ADDRESS: '/x' } })
      live.write('#wat/req [1 :hold]\n#wat/stop {:grace-ms 1000}\n#wat/req [2 2]\n')
      const started = performance.now()
      const { stdout, code } = await live.ended
      expect(performance.now() - started).toBeLessThan(5000)
      expect(stdout).toMatch(/^#wat\/ready .*\n#wat\/err \[2 \{:type :wat\/offline .*\}\]\n$/)
      expect(code).toBe(0)
    },
  )

  pythonIt(
    'P15 P37 SIGTERM lets what is in flight finish, and is what it dies of (needs python3)',
    async ({ lab }) => {
      const live = lab.command('python3', [peer('child.py')])
      live.write('#wat/req [1 :wait] 1\n')
      expect(await live.stdout.line()).toBe('1')
      live.signal('SIGTERM')
      let answer: string | undefined = '#wat/rep'
      for (let id = 2; answer?.startsWith('#wat/rep'); id++) {
        live.write(`#wat/req [${id} 2]\n`)
        answer = await live.stdout.line()
      }
      expect(answer).toMatch(/^#wat\/err \[\d+ \{:type :wat\/offline/)
      live.write('#wat/cancel [1]\n')
      const { signal } = await live.ended
      expect(signal).toBe('SIGTERM')
    },
  )

  pythonIt(
    'P15 P28 P29 as the child of a wat-vm: concurrency, a timeout, a panic (needs python3)',
    async ({ lab }) => {
      const facts = await foreign(
        lab,
        ['python3', peer('child.py')],
        ts`
      const held = [1, 2].map(() => foreign.call(kw('hold')))
      await println([await foreign.call(kw('release')), ...(await Promise.all(held))].map(String))
      await println(((await told(foreign.call(kw('wait'), { timeout: 200 }))) as any).code)
      await println((await foreign.stderr.recv() as any).value.message)
      const thrown: any = await told(foreign.call(kw('throw')))
      await println([thrown.code, thrown.message, thrown.data.name])
      const rich = { a: [1, 2n, new Set(['x'])], b: new Uint8Array([1, 2]) }
      await println(stringify(await foreign.call(rich)))
      const dead: any = await told(foreign.call(kw('die')))
      await println([dead.code, dead.data.exit, dead.data.panic.message])
      const { code, panic } = await foreign.exited
      await println([code, panic!.message])`,
      )
      expect(facts).toEqual([
        [':release', ':hold', ':hold'],
        'timeout',
        'cancelled',
        ['handler', "'gone'", 'KeyError'],
        '{:a [1 2N #{"x"}] :b #wat/bytes "AQI="}',
        ['offline', { code: 9 }, 'python gave up'],
        [9, 'python gave up'],
      ])
    },
  )

  pythonIt(
    'P15 P26 as a parent: a hundred requests, a fault, a cancel, a stop (needs python3)',
    async ({ lab }) => {
      const live = lab.command('python3', [peer('parent.py'), wat, fixture('careful-double.ts')])
      const { stdout, stderr, code } = await live.end()
      expect(parseAll(stdout)).toEqual(
        parseAll(`[2 true "/python/child"] 9900 [:handler "not a number"] [:timeout "no reply within 0.3 s"]
        10 {:code 0} [:offline "the child has ended"]`),
      )
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/^#wat\/log \{.*"\/python\/child".*"hook"\}\n$/),
      ])
    },
  )

  pythonIt(
    'P15 P83 P84 P85 P88 as the child of a wat-vm it uses and gives references (needs python3)',
    async ({ lab }) => {
      const facts = await foreign(
        lab,
        ['python3', peer('refs.py')],
        ts`
      await foreign.ready
      await println(await foreign.call(['use', 3]))
      await println(await foreign.call(['call', ref((n: number) => n + 1), 41]))
      await println(await foreign.call(['add', ref({ add: (a: number, b: number) => a + b }), 1, 2]))
      const mine = ref(() => 'mine')
      await println([await foreign.call(['keep', mine]), await foreign.call(['keep', mine]), await foreign.call(['kept', 0])])
      const [home, x] = await foreign.call(['back', mine, 'x'])
      await println([home === mine, x])
      await foreign.call(['drop'])
      await println((await mine.closed).code)
      const made = await foreign.call(['make'])
      await println([await made.call(21), made.address, await foreign.call(['mine', made])])
      await println(await foreign.call(['late'], { timeout: 4000, meta: { user: 'ann' } }))
      const bad = ref(() => { throw new Error('no') })
      await println(await foreign.call(['told', bad]))
      await foreign.call(['revoke'])
      await println([(await made.closed).code, (await told(made.call(1)) as any).code, await foreign.call(['mine', made])])
      await println(await foreign.stop())`,
        'given: { service: ref((n: number, request) => [n, request.meta, request.deadline! > Date.now()]) }',
      )
      expect(facts).toEqual([
        [3, { by: 'python' }, true],
        42,
        3,
        [true, true, 'mine'],
        [true, 'x'],
        'denied',
        [42, '/foreign', true],
        [true, 'ann'],
        [expect.objectContaining({ name: 'handler' }), 'no'],
        ['denied', 'denied', false],
        { code: 0 },
      ])
    },
  )

  pythonIt(
    'P15 P79 P86 calls that call back, by the thousand, are all answered and given back (needs python3)',
    async ({ lab }) => {
      const facts = await foreign(
        lab,
        ['python3', peer('refs.py')],
        ts`
      await foreign.ready
      const open = new Set<number>()
      const calls = Array.from({ length: 2000 }, (_, n) => {
        open.add(n)
        const back = Object.assign((x: number) => x + n, { [Symbol.dispose]: () => void open.delete(n) })
        return foreign.call(['call', ref(back), 1])
      })
      const sums = await Promise.all(calls)
      while (open.size > 0) await new Promise(resolve => setTimeout(resolve, 10))
      await println([sums.every((sum, n) => sum === n + 1), open.size])
      // More of them than handlers at once, each of which waits for one behind it.
      const asks = ref((own: any) => own.call(21), { concurrency: 1000 })
      asks.dup()
      const nested = await Promise.all(Array.from({ length: 300 }, () => foreign.call(['nest', asks])))
      await println(nested.every(answer => answer === 42))
      await println(await foreign.stop())`,
      )
      expect(facts).toEqual([[true, 0], true, { code: 0 }])
    },
    60_000,
  )

  pythonIt(
    'P15 P80 plain values of protocol 2 wait for whoever takes them, and hold up no call (needs python3)',
    async ({ lab }) => {
      const facts = await foreign(
        lab,
        ['python3', peer('child.py')],
        ts`
      await foreign.ready
      const text = 'x'.repeat(10_000)
      const sent = Promise.all(Array.from({ length: 200 }, () => foreign.stdin.send(text)))
      await println(await foreign.call('through'))
      let taken = 0
      for (; taken < 200; taken++) await foreign.stdout.recv()
      await sent
      const large = [text, text.repeat(100), text, text.repeat(100)]
      for (const one of large) {
        await foreign.stdin.send(one)
        if (await foreign.stdout.recv() !== one) throw new Error('another')
      }
      await println([taken, await foreign.stop()])`,
      )
      expect(facts).toEqual(['through', [200, { code: 0 }]])
    },
  )

  pythonIt(
    'P15 P83 P84 P85 as a parent it gives, lends and revokes references (needs python3)',
    async ({ lab }) => {
      const program = lab.program(ts`
        import { ref, self, serve, type Ref } from 'wat-vm'
        const { counter, n } = self.given
        const plus = ref((x: any) => (typeof x === 'number' ? x + 1 : 'not a number'))
        await serve(async (what: any) => {
          if (what === 'given') return [n, self.address]
          if (what === 'count') return counter.call('x')
          if (what === 'lend') return plus
          const [of, x] = what as [Ref, string]
          if (of === plus) return 'mine'
          const answer = await of.call(x, { meta: { user: 'ann' } })
          of.release()
          return answer
        })`)
      const live = lab.command('python3', [peer('parent_refs.py'), wat, program])
      const { stdout, stderr, code } = await live.end()
      expect([stdout.trimEnd().split('\n'), stderr, code]).toEqual([
        [
          '[7 "/child"]',
          '[1 ["x"]]',
          '[21 "not a number" "mine"]',
          '["x" "ann"]',
          '[:denied "this reference has been released"]',
          '[:denied "the reference has been revoked"]',
          '0',
          '{:code 0}',
        ],
        '',
        0,
      ])
    },
  )

  pythonIt('P15 P80 survives heads that make no sense (needs python3)', async ({ lab }) => {
    const frames = `#wat/call [1 {:refs 5} 1] #wat/call [2 {:refs [0]} 1] #wat/call [3 {:refs [[1 {}]]} #wat/ref 7]
      #wat/call [4 {:to {}} 1] #wat/call [5 {:to 9} 1] #wat/call [6 {:timeout-ms "x" :meta 5} 6] #wat/call [7 {:refs [-3]} 7]
      #wat/given [1 {} {}] #wat/release [1] #wat/release [9 9] #wat/gone [9 {}] #wat/taken [99] #wat/begun [99] #wat/call [8 5 5]\n`
    const { said, types, code } = await answers(lab, ['python3', peer('child.py')], frames, {
      WAT_ADDRESS: '/x',
      WAT_PROTOCOL: '2',
    })
    const outcome = Object.fromEntries(
      said
        .filter(line => /^#wat\/(rep|err|ret)/.test(line))
        .map(line => [/\d+/.exec(line)?.[0], /:wat\/([\w-]+)/.exec(line)?.[1] ?? 'answered']),
    )
    expect(outcome).toEqual({
      1: 'malformed',
      2: 'malformed',
      3: 'malformed',
      4: 'denied',
      5: 'denied',
      6: 'answered',
      7: 'answered',
    })
    expect({ types, code }).toEqual({ types: Array.from({ length: 6 }, () => 'malformed'), code: 65 })
  })

  const knowing = { WAT_ADDRESS: '/x', WAT_PROTOCOL: '2' }
  const sizes = [0, 1, 1023, 1024, 65_536, 3_000_000]

  pythonIt.for([false, true])(
    'P15 P94 bytes go to it and come back, through another process: %s (needs python3)',
    async (through, { lab }) => {
      const relay = lab.program(ts`
        import { self, serve, spawnProcess } from 'wat-vm'
        await serve(spawnProcess({ command: 'python3', args: self.args }))`)
      const child = ['python3', peer('child.py')]
      const facts = await foreign(
        lab,
        through ? [wat, relay, peer('child.py')] : child,
        ts`
      const { isDeepStrictEqual } = await import('node:util')
      const some = (length: number, from = 0) =>
        Uint8Array.from({ length }, (_, at) => (at % 3 === 0 ? 0xff : from + at * 7))
      await foreign.ready
      for (const size of ${JSON.stringify(sizes)}) {
        const body = { one: some(size), more: ['ÿ', some(1500, 1), some(1500, 2), some(3)] }
        await foreign.stdin.send(body)
        const answers = await Promise.all([1, 2, 3].map(() => foreign.call(body)))
        await println([size, [await foreign.stdout.recv(), ...answers].every(one => isDeepStrictEqual(one, body))])
      }
      const { bytes } = await foreign.call(kw('given'))
      await println([await foreign.call(kw('by-lines')), bytes?.length, await foreign.stop()])`,
        'given: { bytes: new Uint8Array(2000) }',
      )
      expect(facts).toEqual([
        ...sizes.map(size => [size, true]),
        [through, through ? null : 2000, { code: 0 }],
      ])
    },
  )

  pythonIt.for([false, true])(
    'P15 P94 as a parent it sends bytes and gets them back, through another process: %s (needs python3)',
    async (through, { lab }) => {
      const program = lab.program({
        'relay.ts': ts`
          import { self, serve, spawnProcess } from 'wat-vm'
          await serve(spawnProcess(new URL('echo.ts', import.meta.url), { given: self.given }))`,
        'echo.ts': ts`
          import { Ref, self, serve } from 'wat-vm'
          await serve(async (body: any) => {
            if (body === 'given') return self.given.bytes
            return body[0] instanceof Ref ? body[0].call(body[1]) : body
          })`,
      })
      const file = through ? program : program.replace('relay', 'echo')
      const live = lab.command('python3', [peer('parent_bytes.py'), wat, file])
      const { stdout, stderr, code } = await live.end()
      expect([stdout.trimEnd().split('\n'), stderr, code]).toEqual([
        ['true', ...sizes.map(() => '[true true true]'), String(through), '{:code 0}'],
        '',
        0,
      ])
    },
  )

  pythonIt(
    'P15 P94 a KiB goes raw, to a side that knows it; others get base64 (needs python3)',
    async ({ lab }) => {
      const bytes = Buffer.alloc(1024, 'x')
      const frames = `#wat/req [1 [#wat/bytes "${bytes.toString('base64')}" #wat/bytes "${btoa('x'.repeat(1023))}"]]\n`
      const raw = await answers(lab, ['python3', peer('child.py')], frames, knowing)
      const mark = '\ufffd\u0001\0\0\u0004\0' // as far as it is text
      expect(raw.said.at(-1)).toBe(
        `${mark}${bytes.toString()}#wat/rep [1 [#wat/bytes 0 #wat/bytes "${btoa('x'.repeat(1023))}"]]`,
      )
      const { said } = await answers(lab, ['python3', peer('child.py')], frames)
      expect(said).toEqual([frames.trimEnd().replace('req', 'rep')])
    },
  )

  pythonIt(
    'P15 P94 survives raw bytes that make no sense, split anywhere (needs python3)',
    async ({ lab }) => {
      const raw = (text: string, length = text.length, kind = 1) =>
        Buffer.concat([Buffer.from([0xff, kind, 0, 0, 0, length]), Buffer.from(text)])
      const parts = [
        [raw('no frame names it'), '#wat/req [1 1]\n'],
        [raw('of the frame before'), '#wat/cancel [7] #wat/req [2 #wat/bytes 0]\n'],
        ['#wat/req [3 #wat/bytes 0]\n'],
        [raw('of another place'), '#wat/req [4 [#wat/bytes 1]]\n'],
        [raw('of no place'), '#wat/req [5 [#wat/bytes -1]]\n#wat/req [6 #wat/bytes "="]\n'],
        ['#wat/req [7 ', raw('inside a form\n'), '5]\n'],
        ['#wat/req [8 "a', raw('b'), 'c"]\n'],
        [raw('of another kind', 15, 2), '\n', Buffer.from([0xff]), '\n'],
        [raw(''), raw('\n#wat/req [90 x]\n'), '#_ x #wat/req [9 #wat/bytes 0]\n'],
        ['#wat/req [10 "', Buffer.from([0xc3]), '"]\n', Buffer.from([0xc3]), raw('x'), '\n'],
        [raw('x'.repeat(120)), raw('x'.repeat(120)), '#wat/req [11 #wat/bytes 1] #wat/req [12 12]\n'],
        [raw('fits'), '#wat/req [13 [#wat/bytes 0 #wat/bytes 0]]', raw('cut', 4)],
      ]
      const live = lab.command('python3', [peer('child.py')], {
        env: { ...knowing, WAT_MAX_FRAME_BYTES: '200' },
      })
      for (const byte of Buffer.concat(parts.flat().map(part => Buffer.from(part as string))))
        await live.writeAll(Uint8Array.of(byte))
      const { stdout, stderr, code } = await live.end()
      expect(outcomes(stdout.split('\n'))).toEqual({
        ...Object.fromEntries([2, 3, 4, 5, 6, 7, 8, 10].map(id => [id, 'malformed'])),
        1: '1',
        9: '#wat/bytes ""',
        11: 'too-large',
        12: '12',
        13: '[#wat/bytes "Zml0cw==" #wat/bytes "Zml0cw=="]',
      })
      expect([stderr.match(/:wat\/malformed/g)?.length, code]).toEqual([12, 65])
    },
  )

  pythonIt('P15 P96 #wat/lines: a form reaches no further than its line (needs python3)', async ({ lab }) => {
    const lines = [
      '#wat/req [1 [1',
      '2]] #wat/req [2 2]',
      '#wat/lines {} #wat/req [3 3]',
      '#wat/req [4 [4',
      '#wat/req [5 5]',
      '#wat/req [6 "6',
      '#wat/req [7 7] ; alone',
      '#wat/req [8 8] #wat/req [9 9]]',
      '#wat/req [10 #_',
      '10 #wat/req [11 11]',
      '#wat/req [12 \\',
      '#wat/req [13 (}] #wat/req [14 14]',
      '',
      '#_ #wat/req [15 15] #wat/req [16 16] #_',
      '  #wat/req [17 [17 ; open',
      '#wat/req [18 18]',
    ]
    const { said, types, code } = await answers(lab, ['python3', peer('child.py')], lines.join('\n'), knowing)
    expect(outcomes(said)).toEqual({
      ...Object.fromEntries([4, 6, 10, 12, 13, 17].map(id => [id, 'malformed'])),
      ...Object.fromEntries([2, 5, 7, 8, 16, 18].map(id => [id, String(id)])),
      1: '[1 2]',
    })
    expect(said).toContain('10')
    expect({ types, code }).toEqual({ types: Array.from({ length: 10 }, () => 'malformed'), code: 65 })
  })

  pythonIt('P15 P33 as a parent it kills what does not stop (needs python3)', async ({ lab }) => {
    const script = `from peer import spawn; c = spawn(['wat', '${fixture('stuck.ts')}'], grace_ms=1000)
c.send(1); c.recv(20); print(c.stop())`
    const live = lab.command('python3', ['-c', script], { env: { PYTHONPATH: example('') } })
    expect((await live.end()).stdout).toBe("{'signal': 'SIGKILL'}\n")
  })
})

describe('a peer that knows no frames', () => {
  it.for(shells)('P15 %s exchanges plain values with a wat-vm, line by line', async (shell, { lab }) => {
    const facts = await foreign(
      lab,
      [...shell, example('lines.sh')],
      ts`
      await foreign.stdin.send('x')
      await println(await foreign.stdout.recv())
      await foreign.stdin.send([1])
      await println(await foreign.stdout.recv())
      await foreign.stdin.end()
      await println(await foreign.exited)`,
    )
    expect(facts).toEqual([{ line: 1, value: 'x' }, { line: 2, value: [1] }, { code: 0 }])
  })
})

describe('a shell that holds the pipes', () => {
  it('P36 a parent in sh that is killed takes its wat-vm along: end of input is enough', async ({ lab }) => {
    const live = lab.command('sh', [
      '-c',
      '{ sleep 0.3; } | WAT_ADDRESS=/sh/child wat "$1"; echo "exit $?"',
      'sh',
      fixture('echo.ts'),
    ])
    expect((await live.end()).stdout).toMatch(/^#wat\/ready .*\nexit 0\n$/)
  })
})

/** What a program prints whose `foreign` is a process that is no wat-vm. */
function foreign(lab: Lab, words: string[], source: string, options = ''): Promise<unknown[]> {
  const program = lab.program({
    'parent.ts': ts`
      import { kw, println, ref, self, spawnProcess } from 'wat-vm'
      import { stringify } from 'wat-vm/edn'
      ${told}
      const [command, ...args] = self.args as [string, ...string[]]
      const foreign = spawnProcess<any, any>({ command, args }, { name: 'foreign', stderr: 'pipe', stopGrace: 2000, ${options} })
      ${source}
      void [kw, ref, stringify]`,
  })
  return lab.facts(program, { args: words })
}

function readOrNot(text: string): unknown[] | undefined {
  try {
    return parseAll(text)
  } catch {
    return undefined
  }
}
