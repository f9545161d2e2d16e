import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { parse } from '../../runtime/edn/index.ts'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { fixture, wat } from '../support/machine.ts'
import { it as withNetns, netnsMissing } from '../support/netns.ts'
import { alive, until } from '../support/proc.ts'
import { startSshd, sshdMissing } from '../support/sshd.ts'
import { secretFile, startHost } from './tiers.ts'

/** A tree on another host: what its root answers is its pid and that of its child. */
const tree = ts`
  import { serve, spawnProcess } from 'wat-vm'
  const leaf = spawnProcess<number, number>(new URL('./leaf.ts', import.meta.url))
  await serve(async (what: any) => {
    if (what === 'hang') return new Promise(() => {})
    if (what === 'spin') for (;;) {}
    return [process.pid, await leaf.call(0)]
  })`
const leaf = ts`
  import { serve } from 'wat-vm'
  await serve(() => process.pid)`

describe('a host', () => {
  it('P36 P49 that is killed takes its trees along; the caller gets offline, and another host goes on answering', async ({
    lab,
  }) => {
    const secret = secretFile(lab)
    const one = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const two = await startHost(lab, `unix:${lab.folder()}/own/two.sock`, secret)
    const main = lab.program({
      'main.ts': ts`
        import { println, readln, self, spawnRemote } from 'wat-vm'
        ${told}
        const [one, two, secret] = self.args as [string, string, string]
        const program = new URL('./tree.ts', import.meta.url)
        const [first, second] = [one, two].map(at => spawnRemote<any, any>(program, { at, secret, stopGrace: 1000 }))
        await println([...await first!.call(1), ...await second!.call(1)])
        const hanging = told(first!.call('hang'))
        await readln()
        await println([await hanging, (await second!.call(1)).length])
        const exit = await first!.exited
        await println([exit.code ?? null, exit.signal ?? null, exit.panic?.code])
        await readln()`,
      'tree.ts': tree,
      'leaf.ts': leaf,
    })
    const live = lab.start(main, { args: [one.at, two.at, secret] })
    const pids = edn(await live.stdout.line())
    one.host.signal('SIGKILL')
    live.write('"go on"\n')
    const [lost, left] = edn(await live.stdout.line()) as [any, number]
    expect(lost.code).toBe('offline')
    expect(left).toBe(2)
    expect(edn(await live.stdout.line())).toEqual([null, null, 'offline'])
    await until(
      () => !pids.slice(0, 2).some(alive),
      2500,
      () => `alive: ${pids.filter(alive).join(' ')}`,
    )
    expect(pids.slice(2).every(alive)).toBe(true)
    live.signal('SIGKILL') // the caller dies: what it has on the other host goes too
    await until(
      () => !pids.some(alive),
      2500,
      () => `alive: ${pids.filter(alive).join(' ')}`,
    )
    expect(alive(two.host.pid)).toBe(true)
    two.host.signal('SIGTERM')
    expect(await two.host.ended).toMatchObject({ signal: 'SIGTERM' })
  })

  it('P36 P49 that is stopped stops what it runs, hooks and all; what is stuck dies in the grace', async ({
    lab,
  }) => {
    const secret = secretFile(lab)
    const { host, at } = await startHost(lab, 'tcp://127.0.0.1:0', secret, ['env', 'WAT_STOP_GRACE_MS=2000'])
    const main = lab.program(ts`
      import { println, self, spawnRemote } from 'wat-vm'
      const [at, secret, careful] = self.args as [string, string, string]
      const child = spawnRemote(careful, { at, secret })
      const spinning = spawnRemote(async ({ println }) => { await println('spins'); for (;;) {} }, { at, secret, stopGrace: 1000 })
      await child.ready
      await spinning.stdout.recv()
      await println('up')
      await println([await child.exited, await spinning.exited].map(({ code, signal }) => [code ?? null, signal ?? null]))`)
    const live = lab.start(main, { args: [at, secret, fixture('careful-double.ts')] })
    await live.stdout.line()
    host.signal('SIGTERM')
    expect(edn(await live.stdout.line())).toEqual([
      [null, 'SIGTERM'],
      [null, 'SIGKILL'],
    ])
    expect(await live.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('"hook"') })
    expect((await host.ended).signal).toBe('SIGTERM')
  })

  it('P44 P49 bad addresses, secrets and versions are one clear error each', async ({ lab }) => {
    const secret = secretFile(lab)
    const { host, at } = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const strange = await hostOfVersion(2, readFileSync(secret))
    const main = lab.program(ts`
      import { connect, listen, println, self, spawnRemote, spawnProcess, WatError } from 'wat-vm'
      const [at, secret, strange, program] = self.args as [string, string, string, string]
      const cases: any[] = [
        { at: 'carrier-pigeon:7', secret }, { at: 'tcp://127.0.0.1:1', secret }, { at: 'unix:/nowhere/at/all.sock', secret },
        { at: 'tcp://no-such-host.invalid:7', secret }, { at, secret: new Uint8Array(32) }, { at, secret: '/no/such/secret' },
        { at: strange, secret },
      ]
      for (const options of cases) {
        const error: any = await spawnRemote(program, options).ready.catch(error => error)
        await println([error instanceof WatError, error.code, error.code === 'denied' ? null : error.cause?.code, error.message])
      }
      const taken: any = await listen(at, () => 1, { secret }).catch(error => error)
      await println([taken instanceof WatError, taken.code, taken.code, taken.message])
      const via: any = await spawnProcess(program, { via: ['sh', '-c', 'echo no way there >&2; exit 255'] }).ready.catch(error => error)
      await println([via instanceof WatError, via.code, via.cause.code, via.message])`)
    const facts = await lab.facts(main, { args: [at, secret, strange.at, fixture('double.ts')] })
    strange.close()
    expect(facts).toEqual([
      [true, 'denied', null, expect.stringContaining('carrier-pigeon')],
      [true, 'offline', 'offline', expect.stringContaining('tcp://127.0.0.1:1')],
      [true, 'offline', 'offline', expect.stringContaining('/nowhere/at/all.sock')],
      [true, 'offline', 'offline', expect.stringContaining('no-such-host.invalid')],
      [true, 'offline', 'denied', expect.stringContaining('wrong secret')],
      [true, 'denied', null, expect.stringContaining('/no/such/secret')],
      [true, 'offline', 'denied', expect.stringContaining('version 2')],
      [true, 'denied', 'denied', expect.stringContaining('in use')],
      [true, 'offline', 'offline', expect.stringContaining('exited with code 255')],
    ])
    host.signal('SIGTERM')
    await host.ended
  })

  it('P31 P44 an address or a secret that is none is `denied`, whoever is given it', async ({ lab }) => {
    const short = path.join(lab.folder(), 'short')
    writeFileSync(short, 'abc', { mode: 0o600 })
    const main = lab.program(ts`
      import { connect, listen, println, self, spawnRemote } from 'wat-vm'
      const [secret, short, program] = self.args as [string, string, string]
      const three = new Uint8Array(3)
      const wrong: [any, any][] = [
        ['http://127.0.0.1:1', secret], ['', secret], [undefined, secret], ['tcp://127.0.0.1:99999', secret],
        ['tcp://127.0.0.1:1', three], ['tcp://127.0.0.1:1', short], ['tcp://127.0.0.1:1', 7],
      ]
      const code = (error: any) => error.code
      for (const [at, secret] of wrong) {
        const connected = connect(at, { secret }), spawned = spawnRemote(program, { at, secret })
        await println([
          await connected.ready.catch(code), await connected.call(1).catch(code), (await connected.exited).panic?.code,
          await spawned.ready.catch(code), await spawned.call(1).catch(code), (await spawned.exited).panic?.code,
          await listen(at, () => 1, { secret }).catch(code),
        ])
      }`)
    const args = [secretFile(lab), short, fixture('double.ts')]
    const facts = await lab.facts(main, { args })
    expect(facts).toHaveLength(7)
    for (const codes of facts) expect(codes).toEqual(Array.from({ length: 7 }, () => 'denied'))
    for (const words of [['http://x'], ['tcp://127.0.0.1:0', '--secret', short]]) {
      expect(await lab.command(wat, ['host', ...words]).end()).toMatchObject({ code: 64, stdout: '' })
    }
  })

  it('P24 P49 loses nothing at the end of a process, however slowly that is read', async ({ lab }) => {
    const secret = secretFile(lab)
    const { host, at } = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { println, self, spawnRemote } from 'wat-vm'
          const [at, secret] = self.args as [string, string]
          const child = spawnRemote<any, any>(new URL('./child.ts', import.meta.url), { at, secret })
          await child.ready
          await new Promise(resolve => setTimeout(resolve, 300))
          let length = 0
          let end: any
          try {
            for await (const text of child.stdout) { length += text.length; await new Promise(resolve => setTimeout(resolve, 5)) }
          } catch (error) {
            end = error
          }
          await println([length, end.code, await child.exited])`,
        'child.ts': ts`
          import { println } from 'wat-vm'
          for (let n = 0; n < 20; n++) void println('x'.repeat(100_000))
          process.exitCode = 3`,
      }),
      { args: [at, secret] },
    )
    expect(facts).toEqual([[2_000_000, 'offline', { code: 3 }]])
    host.signal('SIGTERM')
    await host.ended
  })

  it('P33 P49 a launcher may be slow, and a kill may come before the process', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const slow = spawnProcess<number, number>(self.args[0]!, { via: ['sh', '-c', 'sleep 1; exec "$@"', 'sh'], silence: 300 })
        await println(await slow.call(21))
        const early = spawnProcess(self.args[0]!, { via: ['env'], name: 'early' })
        await println(await early.kill())
        const env = { WAT_SEAT: 'spare', WAT_THREAD: '1', WAT_ADDRESS: '/no' }
        await println(await spawnProcess<number, number>(self.args[0]!, { env }).call(4))
        const big = spawnProcess(self.args[0]!, { via: ['env'], name: 'big', env: { BIG: 'x'.repeat(2_000_000) } })
        await println(await big.ready.catch((error: any) => error.cause.code))`),
      { args: [fixture('double.ts')] },
    )
    expect(facts).toEqual([42, { signal: 'SIGKILL' }, 8, 'too-large'])
  })

  it('P23 P49 the command says in one line what is wrong with its address', async ({ lab }) => {
    const secret = secretFile(lab)
    for (const args of [
      ['host'],
      ['host', 'pigeon:1'],
      ['host', 'tcp://127.0.0.1:99999'],
      ['host', '--what', 'x'],
    ]) {
      const outcome = await lab.sh('wat "$@"', {
        args: [...args, ...(args.length === 2 ? ['--secret', secret] : [])],
      })
      expect([args, outcome.code, outcome.stdout]).toEqual([args, 64, ''])
      expect(outcome.stderr).toMatch(/^.+\n$/)
      expect(outcome.stderr).not.toContain('    at ')
    }
    const used = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const outcome = await lab.sh('wat host "$1" --secret "$2"', { args: [used.at, secret] })
    expect(outcome).toMatchObject({ code: 64, stderr: expect.stringContaining('in use') })
    used.host.signal('SIGINT')
    expect((await used.host.ended).signal).toBe('SIGINT')
  })
})

describe('a network that is cut', () => {
  const reason = netnsMissing || sshdMissing
  const itCut = withNetns.skipIf(Boolean(reason))

  itCut(
    'P36 P49 ends the call and the tree behind it within the silence, and nothing else',
    async ({ lab, other }) => {
      const secret = secretFile(lab)
      const near = await startHost(lab, 'tcp://127.0.0.1:0', secret)
      const far = await startHost(lab, `tcp://${other.address}:7411`, secret, other.exec)
      const { ssh, close } = await sshAt(lab, other)
      const main = lab.program({
        'main.ts': ts`
        import { println, readln, self, spawnProcess, spawnRemote } from 'wat-vm'
        ${told}
        const [near, far, secret, ssh] = self.args as [string, string, string, string]
        const program = new URL('./tree.ts', import.meta.url)
        const options = { stopGrace: 1000, silence: 2000 }
        const trees = [
          spawnRemote<any, any>(program, { at: near, secret, ...options }),
          spawnRemote<any, any>(program, { at: far, secret, ...options }),
          spawnProcess<any, any>(program, { via: JSON.parse(ssh), ...options }),
        ]
        await println(await Promise.all(trees.map(tree => tree.call(1))))
        const hanging = trees.slice(1).map(tree => told(tree.call('hang')))
        await readln()
        const begun = performance.now()
        await println((await Promise.all(hanging)).map(({ code }: any) => code))
        await println([performance.now() - begun < 4000, (await trees[0]!.call(1)).length])`,
        'tree.ts': tree,
        'leaf.ts': leaf,
      })
      const live = lab.start(main, { args: [near.at, far.at, secret, JSON.stringify(ssh)] })
      const pids = edn(await live.stdout.line()) as number[][]
      other.cut()
      live.write('"cut"\n')
      expect(edn(await live.stdout.line())).toEqual(['offline', 'offline'])
      expect(edn(await live.stdout.line())).toEqual([true, 2])
      const cut = pids.slice(1).flat()
      // Its own silence, its grace, and a second.
      await until(
        () => !cut.some(alive),
        5000,
        () => `alive: ${cut.filter(alive).join(' ')}`,
      )
      other.heal()
      live.signal('SIGTERM')
      await live.ended
      for (const { host } of [near, far]) {
        host.signal('SIGTERM')
        await host.ended
      }
      await close()
    },
  )
})

function edn(line: string | undefined): any {
  return parse(line ?? '')
}

async function sshAt(lab: Lab, other: Parameters<typeof startSshd>[1]) {
  const host = await startSshd(lab, other)
  return { ssh: host.ssh, close: () => host.close() }
}

/** Somebody who knows the secret and speaks of another version. */
async function hostOfVersion(protocol: number, secret: Buffer): Promise<{ at: string; close(): void }> {
  const server = net.createServer(socket => {
    const challenge = Buffer.alloc(32, 1)
    socket.on('error', () => {})
    socket.write(challenge)
    socket.once('data', (answer: Buffer) => {
      const proof = createHmac('sha256', secret)
        .update('SERVER-AUTH')
        .update(answer.subarray(32, 64))
        .digest()
      const line = Buffer.from(`#wat/host {:protocol ${protocol}}\n`)
      const header = Buffer.from([0, 0, 0, 0, line.length])
      socket.write(Buffer.concat([proof, header, line]))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return { at: `tcp://127.0.0.1:${port}`, close: () => void server.close() }
}
