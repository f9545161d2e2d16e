import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture, repository } from '../support/machine.ts'
import { alive, childrenOf, until } from '../support/proc.ts'

/** What a program can see of itself and of what started it. */
const introspective = ts`
  import { self, serve } from 'wat-vm'
  const at = { evaluated: process.cwd() }
  await serve(body => ({
    body, at, address: self.address, name: self.name, args: self.args, argv: process.argv, execArgv: process.execArgv,
    title: process.title, own: process.env.OWN, gone: process.env.GONE ?? null, late: process.env.LATE ?? null,
    wat: Object.keys(process.env).filter(name => name.startsWith('WAT_') && !name.startsWith('WAT_TEST')), main: process.argv[1] }))`

describe('a spare', () => {
  it('P25 becomes the same process that a cold start makes, and is replaced', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { prewarm, println, spawnProcess } from 'wat-vm'
        process.env.GONE = 'before'
        const [url, cwd] = [new URL('./introspective.ts', import.meta.url), new URL('.', import.meta.url)]
        const facts = async () => {
          process.env.LATE = 'set behind the start of the spare'
          delete process.env.GONE
          const child = spawnProcess<any, any>(url, { name: 'same', args: ['--a', 'b c'], env: { OWN: '"ü"', 'odd//:name': '1' }, cwd })
          const told = await child.call('hello')
          await child.stop()
          return [child.pid, told]
        }
        const cold = await facts()
        process.env.GONE = 'before'
        delete process.env.LATE
        await prewarm(1)
        await println([cold, await facts(), await facts()])`,
      'introspective.ts': introspective,
    })
    const [[cold, warm, again]] = await lab.facts(program)
    expect(warm[1]).toEqual(cold[1])
    expect(again[1]).toEqual(cold[1])
    expect(warm[1]).toMatchObject({
      body: 'hello',
      address: '/same',
      own: '"ü"',
      gone: null,
      wat: [],
    })
    expect(new Set([cold[0], warm[0], again[0]]).size).toBe(3)
  })

  it.skipIf(!existsSync('/proc/self/mem'))(
    'P76 is shown by `ps` as the program that it has become',
    async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
        import { prewarm, println, spawnProcess } from 'wat-vm'
        import { readdirSync, readFileSync } from 'node:fs'
        const commandOf = (pid: unknown) => [readFileSync('/proc/' + pid + '/cmdline', 'utf8').replace(/\0+$/, '').split('\0'), readFileSync('/proc/' + pid + '/comm', 'utf8')]
        const url = new URL('./child.ts', import.meta.url)
        const args = ['--a', 'b c', 'ü', 'x'.repeat(300), 'y'.repeat(300)]
        const cold = [spawnProcess<any, any>(url, { args }), spawnProcess<any, any>(({ serve }) => serve(() => process.title), { name: 'fn' })]
        const told = []
        for (const child of cold) told.push([await child.call(1), commandOf(child.pid)])
        await prewarm(1)
        const below = readdirSync('/proc').filter(pid => { try { return commandOf(pid)[0].at(-1) === 'spare' } catch { return false } })
        const warm = spawnProcess<any, any>(url, { args })
        told.push([await warm.call(1), commandOf(warm.pid)], below.includes(String(warm.pid)))
        await prewarm(1)
        const fn = spawnProcess<any, any>(({ serve }) => serve(() => process.title), { name: 'fn' })
        told.push([await fn.call(1), commandOf(fn.pid)])
        await println(told)`,
        'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(() => process.title)`,
      })
      const [[file, fn, warmFile, seenAsSpare, warmFn]] = await lab.facts(program)
      expect(seenAsSpare).toBe(true)
      const [title, [command, comm]] = warmFile
      expect([title, comm]).toEqual([file[0], file[1][1]])
      expect(command.slice(0, -1)).toEqual(file[1][0].slice(0, command.length - 1))
      expect(command).toContain('b c')
      expect(command.at(-1)).toMatch(/^y+$/) // cut, because there is no more room
      expect(warmFn).toEqual(fn)
    },
  )

  it('P25 is a running process before its program is known, in a group of its own', async ({ lab }) => {
    const program = lab.program(ts`
      import { prewarm, println, self, spawnProcess } from 'wat-vm'
      import { readdirSync, readFileSync } from 'node:fs'
      const below = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim().split(' ').map(Number)
      await prewarm(2)
      const spares = below()
      const groups = spares.map(pid => Number(readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1]!.split(' ')[2]))
      const [one, two] = [spawnProcess<any, any>(self.args[0]!), spawnProcess<any, any>(self.args[0]!)]
      const replies = await Promise.all([one.call(4), two.call(5)])
      await println([spares, groups, [one.pid, two.pid], replies, [one.address, two.address]])`)
    const [[spares, groups, pids, replies, addresses]] = await lab.facts(program, {
      args: [fixture('double.ts')],
    })
    expect(spares).toHaveLength(2)
    expect(groups).toEqual(spares)
    expect(pids.toSorted()).toEqual(spares.toSorted())
    expect(replies).toEqual([8, 10])
    expect(addresses).toEqual(['/double', '/double/2'])
  })

  it('P25 is not taken where it would differ: execArgv, stopGrace, maxFrame, what Node reads at its start', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { prewarm, println, self, spawnProcess } from 'wat-vm'
      import { readFileSync } from 'node:fs'
      await prewarm(1)
      const spare = Number(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8')) || -1
      const pids = []
      for (const options of [{ execArgv: ['--stack-size=900'] }, { stopGrace: 1234 }, { maxFrame: 4096 }, { env: { NODE_OPTIONS: '--stack-size=901' } }, { cwd: '/nonexistent' }, {}]) {
        const child = spawnProcess<any, any>(self.args[0]!, options)
        await child.call(1).catch(() => {})
        pids.push(child.pid === spare)
        await child.stop()
      }
      await println(pids)`)
    expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([
      [false, false, false, false, false, true],
    ])
  })

  it('P25 that is dead, or suspended, costs nobody a program', async ({ lab }) => {
    const program = lab.program(ts`
      import { prewarm, println, self, spawnProcess } from 'wat-vm'
      import { readFileSync } from 'node:fs'
      // The list may lack children while others of them end.
      const spare = async () => {
        for (;;) {
          const below = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim().split(' ').map(Number)
          if (below.length === 1 && below[0]! > 0) return below[0]!
          await new Promise(resolve => setTimeout(resolve, 5))
        }
      }
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
        await prewarm(1)
        const pid = await spare()
        process.kill(pid, signal)
        const child = spawnProcess<any, any>(self.args[0]!)
        await println([await child.call(21), child.pid === pid])
        await println(await child.stop())
        await prewarm(0)
      }`)
    const facts = await lab.facts(program, { args: [fixture('double.ts')] })
    expect(facts).toEqual([[42, false], { code: 0 }, [42, false], { code: 0 }])
    await lab.noSurvivors(500)
  })

  it('P25 keeps no process alive and does not outlive one: idle end, stop, SIGKILL', async ({ lab }) => {
    const program = lab.program(ts`
      import { prewarm, println, readln, self } from 'wat-vm'
      await prewarm(3)
      await println(process.pid)
      if (self.args[0]) await readln()`)
    expect(await lab.run(program)).toMatchObject({ code: 0, stderr: '' })
    await lab.noSurvivors(500)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const live = lab.start(program, { args: ['wait'], env: { WAT_STOP_GRACE_MS: '500' } })
      const pid = (await live.stdout.value<number>())!
      const spares = childrenOf(pid).map(child => child.pid)
      expect(spares).toHaveLength(3)
      process.kill(pid, signal)
      await live.ended
      await until(
        () => !spares.some(alive),
        1500,
        () => `alive: ${spares.filter(alive).join(' ')}`,
      )
    }
  })

  it('P25 begins a program once, also while its parent is busy, and when the program ends at once', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { prewarm, println, self, spawnProcess } from 'wat-vm'
        for (let n = 0; n < 5; n++) {
          await prewarm(1)
          const child = spawnProcess<any, any>(new URL('./once.ts', import.meta.url), { args: self.args })
          for (const until = performance.now() + (n === 0 ? 1500 : 100); performance.now() < until; );
          await println([await child.stdout.recv(), await child.exited])
        }`,
      'once.ts': ts`
        import { appendFileSync } from 'node:fs'
        import { println, self } from 'wat-vm'
        appendFileSync(self.args[0]!, 'begun\n')
        await println('x'.repeat(100_000))
        process.exit(7)`,
    })
    const journal = path.join(path.dirname(program), 'journal')
    expect(await lab.facts(program, { args: [journal] })).toEqual(
      Array.from({ length: 5 }, () => ['x'.repeat(100_000), { code: 7 }]),
    )
    expect(readFileSync(journal, 'utf8')).toBe('begun\n'.repeat(5))
  })

  it('P25 is waited for in a plain Node script too, which then ends', async ({ lab }) => {
    const program = lab.program({
      'host.mjs': ts`
        import { prewarm, spawnProcess } from '${pathToFileURL(path.join(repository, 'dist/core.js')).href}'
        await prewarm(1)
        console.log(await spawnProcess(process.argv[2]).call(21))
        await prewarm(1)
        await prewarm(0)
        console.log('gone')`,
    })
    const args = ['--no-warnings', path.join(path.dirname(program), 'host.mjs'), fixture('double.ts')]
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, '42\ngone\n'])
  })

  it('P38 leaves nothing behind after a hundred of them', async ({ lab }) => {
    const program = lab.program(ts`
      import { prewarm, println, self, spawnProcess } from 'wat-vm'
      import { readdirSync } from 'node:fs'
      const open = () => readdirSync('/proc/self/fd').length
      const cycle = async (count: number) => {
        for (let n = 0; n < count; n++) {
          await prewarm(2)
          const child = spawnProcess<any, any>(self.args[0]!)
          if ((await child.call(n)) !== 2 * n) throw new Error('wrong')
          await child.stop()
        }
        await prewarm(0)
      }
      await cycle(3)
      const before = open()
      await cycle(50)
      for (let n = 0; n < 500 && open() > before; n++) await new Promise(resolve => setTimeout(resolve, 10))
      await println(open() - before)`)
    const [[fds]] = [await lab.facts(program, { args: [fixture('double.ts')] })]
    expect(fds).toBeLessThanOrEqual(0)
    await lab.noSurvivors(500)
  })

  it('P3 a count that is none is refused, and so is a program for a process that is no spare', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { prewarm, println } from 'wat-vm'
      ${told}
      for (const count of [-1, 1.5, NaN, 65, '2' as any]) await println((await told<any>(prewarm(count))).code)`)
    expect(await lab.facts(program)).toEqual(['denied', 'denied', 'denied', 'denied', 'denied'])
    const live = lab.start(fixture('double.ts'))
    live.write('#wat/run {:program "/etc/passwd"}\n21\n')
    const { code, stdout, stderr } = await live.end()
    expect([code, stdout]).toEqual([65, '42\n'])
    expect(stderr).toContain('#wat/run frame has no meaning here')
  })
})
