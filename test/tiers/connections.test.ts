import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { alive, until } from '../support/proc.ts'
import { parse } from '../../runtime/edn/index.ts'
import { secretFile } from './tiers.ts'

const addresses = [
  { where: 'a TCP port', address: () => 'tcp://127.0.0.1:0' },
  { where: 'a Unix socket', address: (lab: Lab) => `unix:${lab.folder()}/own/wat.sock` },
]

describe.each(addresses)('what listens at $where', ({ address }) => {
  it('P48 P50 serves a handler: calls, faults, cancels and plain values of every connection', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { connect, listen, println, self } from 'wat-vm'
        ${told}
        const [address, secret] = self.args as [string, string]
        let aborted = 0
        const server = await listen(address, (body: any, request) => {
          if (body === 'wait') return new Promise(() => request.signal.addEventListener('abort', () => aborted++))
          if (body === 'aborted') return aborted
          if (body === 'slow') return new Promise(resolve => setTimeout(resolve, 200, 'late'))
          if (body < 0) throw Object.assign(new RangeError('below'), { cause: new Error('zero') })
          return body * 2
        }, { secret })
        const clients = [1, 2, 3].map(() => connect<any, any>(server.address, { secret }))
        await Promise.all(clients.map(client => client.ready))
        await println(await Promise.all(clients.map((client, n) => client.call(n))))
        const [first] = clients
        const calls = await Promise.all(Array.from({ length: 5000 }, (_, n) => first!.call(n)))
        await println(calls.every((reply, n) => reply === 2 * n))
        await println(await told(first!.call(-1)))
        await println((await told(first!.call('wait', { timeout: 50 }))).code)
        await println(await clients[1]!.call('aborted'))
        for (const n of [1, 2, 3]) await first!.stdin.send(n)
        await println([await first!.stdout.recv(), await first!.stdout.recv(), await first!.stdout.recv()])
        await println(await first!.stop())
        void clients[1]!.call('wait').catch(() => {})
        await clients[1]!.kill()
        while (await clients[2]!.call('aborted') !== 2) await new Promise(resolve => setTimeout(resolve, 10))
        const slow = clients[2]!.call('slow')
        await clients[2]!.call(1)
        await server.close()
        await println([await slow, await clients[2]!.exited])
        await println((await told(connect(server.address, { secret }).ready)).code)`),
      { args: [address(lab), secretFile(lab)] },
    )
    expect(facts).toEqual([
      [0, 2, 4],
      true,
      expect.objectContaining({ code: 'handler', message: 'below' }),
      'timeout',
      1,
      [2, 4, 6],
      { code: 0 },
      ['late', { code: 0 }],
      'offline',
    ])
  })

  it('P36 P50 serves a program: a fresh process for each connection, which ends with it', async ({ lab }) => {
    const live = lab.start(
      lab.program({
        'main.ts': ts`
          import { connect, listen, println, readln, self } from 'wat-vm'
          const [address, secret] = self.args as [string, string]
          const server = await listen(address, new URL('./program.ts', import.meta.url), { secret, stopGrace: 1000 })
          const [one, two, three] = [1, 2, 3].map(() => connect<any, any>(server.address, { secret }))
          await println(await Promise.all([one!, two!, three!].map(client => client.call('pid'))))
          await println([await one!.stop(), await two!.call('alive')])
          const pending = two!.call('exit').catch(error => error.code)
          await println([await two!.exited, await pending])
          await three!.kill()
          await readln()
          const late = connect<any, any>(server.address, { secret })
          await late.call('pid')
          await server.close()
          await println(await late.exited)`,
        'program.ts': ts`
          import { serve } from 'wat-vm'
          await serve((body: string) => (body === 'pid' ? process.pid : body === 'exit' ? process.exit(7) : body))`,
      }),
      { args: [address(lab), secretFile(lab)] },
    )
    const pids = parse((await live.stdout.line()) ?? '') as number[]
    expect(new Set(pids).size).toBe(3)
    expect(await live.stdout.line()).toBe('[{:code 0} "alive"]')
    expect(await live.stdout.line()).toBe('[{:code 7} "offline"]')
    await until(
      () => !pids.some(alive),
      3000,
      () => `alive: ${pids.filter(alive).join(' ')}`,
    )
    live.write('"go on"\n')
    expect(await live.stdout.line()).toMatch(/^\{:(code 0|signal "SIGTERM")\}$/)
    expect((await live.end()).code).toBe(0)
  })
})

describe('a server', () => {
  it('P24 P50 loses nothing of what a program writes before it ends, however slowly that is read', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { connect, listen, println, self } from 'wat-vm'
          const [secret] = self.args as [string]
          const server = await listen('tcp://127.0.0.1:0', new URL('./program.ts', import.meta.url), { secret })
          const client = connect<any, any>(server.address, { secret })
          await client.ready
          await new Promise(resolve => setTimeout(resolve, 300))
          let length = 0
          let end: any
          try {
            for await (const text of client.stdout) { length += text.length; await new Promise(resolve => setTimeout(resolve, 5)) }
          } catch (error) {
            end = error
          }
          await println([length, end.code, await client.exited])
          await server.close()`,
        'program.ts': ts`
          import { println } from 'wat-vm'
          for (let n = 0; n < 20; n++) void println('x'.repeat(100_000))
          process.exitCode = 3`,
      }),
      { args: [secretFile(lab)] },
    )
    expect(facts).toEqual([[2_000_000, 'offline', { code: 3 }]])
  })

  it('P50 closes within its grace, also when a client does not read', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { connect, listen, println, self } from 'wat-vm'
          const [secret] = self.args as [string]
          const server = await listen('tcp://127.0.0.1:0', new URL('./program.ts', import.meta.url), { secret, stopGrace: 500 })
          const client = connect<any, any>(server.address, { secret })
          await client.ready
          await new Promise(resolve => setTimeout(resolve, 200))
          const begun = performance.now()
          await server.close()
          await println(performance.now() - begun < 1500)`,
        'program.ts': ts`
          import { println } from 'wat-vm'
          for (;;) await println('x'.repeat(100_000))`,
      }),
      { args: [secretFile(lab)] },
    )
    expect(facts).toEqual([true])
  })

  it('P15 P50 gives a command that is not ours the end of input, and no frame', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { connect, listen, println, self } from 'wat-vm'
        const [secret] = self.args as [string]
        const server = await listen('tcp://127.0.0.1:0', { command: 'sh', args: ['-c', 'cat; echo :end'] }, { secret })
        const client = connect<any, any>(server.address, { secret })
        for (const n of [1, 2]) await client.stdin.send(n)
        await client.stdin.send('a line\n#wat/en')
        await client.stdin.end()
        const seen: any[] = []
        for await (const value of client.stdout) seen.push(value)
        await println([...seen.slice(0, 3), seen.length, await client.exited])
        await server.close()`),
      { args: [secretFile(lab)] },
    )
    expect(facts).toEqual([[1, 2, 'a line\n#wat/en', 4, { code: 0 }]])
  })

  it('P34 P50 that is stopped lets what is in flight finish; the caller that dies aborts what it asked for', async ({
    lab,
  }) => {
    const secret = secretFile(lab)
    const live = lab.start(
      lab.program({
        'main.ts': ts`
          import { listen, println, self } from 'wat-vm'
          const server = await listen('tcp://127.0.0.1:0', async (ms: number) => { await new Promise(r => setTimeout(r, ms)); return ms }, { secret: self.args[0]! })
          await println(server.address)`,
      }),
      { args: [secret] },
    )
    const at = parse((await live.stdout.line()) ?? '') as string
    const client = lab.start(
      lab.program(ts`
        import { connect, println, self } from 'wat-vm'
        const server = connect<number, number>(self.args[0]!, { secret: self.args[1]! })
        await server.ready
        const slow = server.call(500)
        await println('asked')
        await println([await slow, await server.exited])`),
      { args: [at, secret] },
    )
    await client.stdout.line()
    live.signal('SIGTERM')
    expect(await client.stdout.line()).toBe('[500 {:code 0}]')
    expect((await live.ended).signal).toBe('SIGTERM')
    expect((await client.ended).code).toBe(0)
  })

  it('P31 P50 options that make no sense are refused at once', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { listen, println, self, spawnThread, spawnProcess } from 'wat-vm'
        const [secret, program] = self.args as [string, string]
        const refused: any[] = []
        for (const attempt of [
          () => listen('tcp://127.0.0.1:0', program, { secret, stderr: 'nowhere' as any }),
          () => listen('tcp://127.0.0.1', program, { secret }),
          () => listen('tcp://127.0.0.1:0', 5 as any, { secret }),
          () => listen('tcp://127.0.0.1:0', program, { secret: new Uint8Array(31) }),
          async () => spawnThread(program, { cwd: '/' } as any),
          async () => spawnThread({ command: 'cat' }),
          async () => spawnProcess(program, { given: [1] as any }),
          async () => spawnProcess(program, { via: 'ssh host' as any }),
          async () => spawnProcess(program, { silence: 1 }),
        ]) refused.push(await attempt().then(() => 'taken', (error: any) => error.code))
        await println(refused)`),
      { args: [secretFile(lab), fixture('double.ts')] },
    )
    expect(facts).toEqual([Array.from({ length: 9 }, () => 'denied')])
  })
})
