import { describe, expect, it, ts } from '../support/lab.ts'

/** All that a receiver gives, and how it ended. */
const read = ts`
  const read = async (receiver: any): Promise<unknown[]> => {
    const seen: unknown[] = []
    try {
      for await (const value of receiver) seen.push(value)
      return [...seen, 'end']
    } catch (error: any) {
      return [...seen, error.code, error.data?.exit ?? {}]
    }
  }`

describe('a source that died is not one that ended', () => {
  it('P69 the exit of a wat-vm and of a command decides: only 0 is a proper end', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${read}
        const child = (source: string) => spawnProcess(new URL(source, import.meta.url), { stderr: 'pipe' })
        const failing = child('./failing.ts')
        await failing.stdin.send(1)
        await failing.stdin.end()
        await println(await read(failing.stdout))
        await println(await read(child('./missing.ts').stdout))
        const sh = (script: string) => spawnProcess({ command: 'sh', args: ['-c', script] })
        await println(await read(sh('echo 1; exit 0').stdout))
        await println(await read(sh('echo 1; echo 2; exit 1').stdout))
        await println(await read(sh('echo 1; kill -9 $$').stdout))
        await println(await read(spawnProcess({ command: 'no-such-command' }).stdout))`,
      'failing.ts': ts`
        import { println, serve } from 'wat-vm'
        await println('on')
        await serve(() => { throw new Error('no') })`,
    })
    expect(await lab.facts(program)).toEqual([
      ['on', 'offline', { code: 1 }],
      ['offline', { code: 66 }],
      [1, 'end'],
      [1, 2, 'offline', { code: 1 }],
      [1, 'offline', { signal: 'SIGKILL' }],
      ['offline', { code: 127 }],
    ])
  })

  it('P69 each recv rejects, select finds it ready, close makes it just end, and nobody has to look', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, select, spawnProcess } from 'wat-vm'
        const failure = (promise: Promise<unknown>) => promise.then(String, error => error)
        const dying = () => spawnProcess(new URL('./dying.ts', import.meta.url), { stderr: 'pipe' })
        const [unread, closed, child] = [dying(), dying(), dying()]
        closed.stdout.close()
        const quiet = spawnProcess(new URL('./quiet.ts', import.meta.url))
        await Promise.all([unread.exited, closed.exited, child.exited])
        await println((await closed.stdout.recv()) ?? 'end')
        await println((await select([quiet.stdout, child.stdout])) === child.stdout)
        await println(await child.stdout.recv())
        const [one, two] = [await failure(child.stdout.recv()), await failure(child.stdout.recv())]
        await println([one.code, one.data.exit, one.data.panic.message, two === one])
        await println((await select([quiet.stdout, child.stdout])) === child.stdout)
        child.stdout.close()
        await println((await child.stdout.recv()) ?? 'end')
        const records = await Array.fromAsync(child.stderr) // which just ends: the panic is in it
        await println(records.map(record => record.tag))
        const pair = dying()
        await pair.stdout.recv()
        const waiting = [pair.stdout.recv(), pair.stdout.recv()].map(failure)
        await println((await Promise.all(waiting)).map(error => error.code))`,
      'dying.ts': ts`
        import { println } from 'wat-vm'
        await println('last')
        throw new Error('why')`,
      'quiet.ts': ts`setInterval(() => {}, 1000)`,
    })
    expect(await lab.facts(program)).toEqual([
      'end',
      true,
      'last',
      ['offline', { code: 2 }, 'why', true],
      true,
      'end',
      ['wat/panic'],
      ['offline', 'offline'],
    ])
  })

  it('P69 a parent that passes on what a child prints does not end in order when the child is killed', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        for await (const value of child.stdout) await println(value)`,
      'child.ts': ts`
        import { println } from 'wat-vm'
        for (let n = 0; n < 1000; n++) await println(n)
        process.kill(process.pid, 'SIGKILL')`,
    })
    const { code, stdout, stderr } = await lab.run(program)
    expect(stdout.trim().split('\n')).toHaveLength(1000)
    expect(code).toBe(2)
    expect(stderr).toMatch(/#wat\/panic .*:type :wat\/offline .*:exit \{:signal "SIGKILL"\}/)
  })

  it('P69 a child that is stopped along with its parent just ends', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        ${read}
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        const first = await child.stdout.recv()
        const rest = read(child.stdout)
        self.onStop(async () => println([first, await rest]))
        await println('on')
        setInterval(() => {}, 1000)`,
      'child.ts': ts`
        import { println, self } from 'wat-vm'
        self.onStop(() => { process.exitCode = 9 })
        await println(1)
        setInterval(() => {}, 1000)`,
    })
    const live = lab.start(program)
    await live.stdout.match(/on/)
    live.signal('SIGTERM')
    expect((await live.ended).stdout).toMatch(/\[1 \["end"\]\]/)
  })

  it('P69 a child that has closed its output and lives on has ended it', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${read}
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        await println(await read(child.stdout))
        await child.stdin.send('die')
        await println((await child.exited).code)
        await println((await child.stdout.recv()) ?? 'end')`,
      'child.ts': ts`
        import { println, readln, stdout } from 'wat-vm'
        await println(1)
        await stdout.end()
        await readln()
        process.exit(4)`,
    })
    expect(await lab.facts(program)).toEqual([[1, 'end'], 4, 'end'])
  })

  it('P69 one that speaks another version of the protocol does not just end', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, spawnProcess } from 'wat-vm'
      ${read}
      const stranger = spawnProcess({ command: 'sh', args: ['-c', 'echo "#wat/ready {:protocol 99} 1"; cat'] })
      await println(await read(stranger.stdout))`)
    expect(await lab.facts(program)).toEqual([[1, 'denied', {}]])
  })

  it('P69 over connect: what was served failed, was killed, or the connection is lost; one that ended just ends', async ({
    lab,
  }) => {
    const program = lab.program({
      'main.ts': ts`
        import { randomBytes } from 'node:crypto'
        import { connect, listen, println, serve, spawnProcess } from 'wat-vm'
        ${read}
        const secret = randomBytes(32)
        const served = await listen('tcp://127.0.0.1:0', new URL('./served.ts', import.meta.url), { secret })
        for (const how of ['end', 'fail', 'die']) {
          const client = connect(served.address, { secret })
          await client.stdin.send(how)
          await println(await read(client.stdout))
        }
        const handled = await listen('tcp://127.0.0.1:0', (body: unknown) => body, { secret })
        const client = connect(handled.address, { secret })
        await client.stdin.send('echo')
        const reading = read(client.stdout)
        await client.stdin.end()
        await println(await reading)
        await Promise.all([served.close(), handled.close()])
        const server = spawnProcess(new URL('./server.ts', import.meta.url), { args: [secret.toString('hex')] })
        const other = connect(await server.stdout.recv(), { secret })
        await println(await other.call('on'))
        const lost = read(other.stdout)
        await server.kill()
        await println((await lost)[0])`,
      'served.ts': ts`
        import { println, readln } from 'wat-vm'
        const how = await readln()
        await println(how)
        if (how === 'fail') process.exit(5)
        if (how === 'die') process.kill(process.pid, 'SIGKILL')`,
      'server.ts': ts`
        import { listen, println, self } from 'wat-vm'
        const { address } = await listen('tcp://127.0.0.1:0', (body: unknown) => body, { secret: Buffer.from(self.args[0]!, 'hex') })
        await println(address)`,
    })
    expect(await lab.facts(program)).toEqual([
      ['end', 'end'],
      ['fail', 'offline', { code: 5 }],
      ['die', 'offline', { signal: 'SIGKILL' }],
      ['echo', 'end'],
      'on',
      'offline',
    ])
  })
})
