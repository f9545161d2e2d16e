import path from 'node:path'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture, wat } from '../support/machine.ts'
import { secretFile } from '../tiers/tiers.ts'

describe('a program that is done', () => {
  for (const [what, child] of [
    ['a command', `spawnProcess({ command: 'sleep', args: ['60'] })`],
    ['a wat-vm', `spawnProcess(() => setInterval(() => {}, 1e6))`],
    ['a wat-vm in a loop', `spawnProcess(() => { setTimeout(() => { for (;;); }, 10) })`],
    ['a thread', `spawnThread(() => setInterval(() => {}, 1e6))`],
  ] as const) {
    it(`P68 P18 ends within its grace and a second though ${what} reads nothing of what was sent`, async ({
      lab,
    }) => {
      const program = lab.program(ts`
        import { println, spawnProcess, spawnThread } from 'wat-vm'
        const child = ${child}
        for (let n = 0; n < 20; n++) child.stdin.send('x'.repeat(900_000)).catch(() => {})
        await child.ready
        await println('done')`)
      const live = lab.start(program, { env: { WAT_STOP_GRACE_MS: '1000' } })
      expect(await live.stdout.value()).toBe('done')
      const started = performance.now()
      const { code } = await live.end()
      expect([code, performance.now() - started < 4000]).toEqual([0, true])
    })
  }

  it('P68 P24 waits for a child that reads slowly, until that has all', async ({ lab }) => {
    const program = lab.program(ts`
      import { spawnProcess } from 'wat-vm'
      const script = 'for n in 1 2 3 4 5 6 7 8; do dd bs=64k count=2 iflag=fullblock 2>/dev/null; sleep 0.25; done | wc -c >&2; cat >/dev/null'
      const child = spawnProcess({ command: 'sh', args: ['-c', script] }, { stopGrace: 20_000 })
      child.stdin.send('x'.repeat(1_000_000 - 3)).catch(() => {})`)
    const { code, stderr } = await lab.run(program, { env: { WAT_STOP_GRACE_MS: '1500' } })
    expect([code, stderr]).toEqual([0, expect.stringContaining('1000000')])
  })

  it('P68 a timer of the program keeps it, as anywhere, beside what is not read', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, spawnProcess } from 'wat-vm'
      const child = spawnProcess({ command: 'sleep', args: ['60'] })
      child.stdin.send('x'.repeat(900_000)).catch(() => {})
      setTimeout(() => println('in time'), 1500)`)
    const { code, stdout } = await lab.run(program, { env: { WAT_STOP_GRACE_MS: '500' } })
    expect([code, stdout]).toEqual([0, '"in time"\n'])
  })
})

describe('a loss that nobody awaits', () => {
  for (const [how, source] of [
    ['trySend', 'stdout.trySend(1)'],
    ['trySend, and exits', 'stdout.trySend(1); process.exit(0)'],
    ['trySend later', 'setTimeout(() => stdout.trySend(1), 20)'],
    ['an unawaited println', 'void println(1)'],
    ['an unawaited println, and exits', 'void println(1); process.exit()'],
  ] as const) {
    it(`P68 P13 is told: ${how} to a full device is a panic with the reason`, async ({ lab }) => {
      const program = lab.program(`import { println, stdout } from 'wat-vm'\n${source}`)
      const { stdout, stderr } = await lab.sh('wat "$1" > /dev/full; echo $?', { args: [program] })
      expect(stdout).toBe('2\n')
      expect(stderr).toMatch(/^#wat\/panic \{:type :wat\/offline :message "cannot write: ENOSPC/m)
    })
  }

  it('P68 P23 is none where nobody reads on: | head is no error', async ({ lab }) => {
    const program = lab.program(
      `import { stdout } from 'wat-vm'\nsetInterval(() => stdout.trySend('x'.repeat(1000)), 1)`,
    )
    const { stdout, stderr } = await lab.sh('wat "$1" | head -1 | cut -c 1-5', { args: [program] })
    expect([stdout, stderr]).toEqual(['"xxxx\n', ''])
  })
})

describe('a frame of control', () => {
  for (const maxFrame of [1, 10, 40, 60]) {
    it(`P68 P12 goes through a maxFrame of ${maxFrame}: a child is ready, answers, fails and stops`, async ({
      lab,
    }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { println, spawnProcess, spawnThread } from 'wat-vm'
          ${told}
          for (const spawn of [spawnProcess, spawnThread]) {
            const child = spawn<any, any>(new URL('./child.ts', import.meta.url), { maxFrame: ${maxFrame}, stopGrace: 3000 })
            await child.ready
            const answers = [await told(child.call(1)), await told(child.call('x'.repeat(100)))] as any[]
            await println(answers.map(answer => answer.value ?? answer.code))
            const started = performance.now()
            const { code = null, signal = null } = await child.stop()
            await println([code, signal, performance.now() - started < 1500])
          }`,
        'child.ts': ts`
          import { serve } from 'wat-vm'
          await serve((n: number) => { if (n === 1) throw new Error('x'.repeat(5000)) })`,
      })
      const { code, stdout, stderr } = await lab.run(program)
      expect(code, stderr).toBe(0)
      const sent = maxFrame > 20 ? 'handler' : 'too-large'
      const each = `["${sent}" "too-large"]\n[0 nil true]\n`
      expect(stdout).toBe(each + each)
    })
  }
})

describe('a working directory that has been removed', () => {
  it('P68 P31 a relative program is offline, never thrown; an absolute one and an expression run', async ({
    lab,
  }) => {
    const gone = path.join(lab.folder(), 'gone')
    const program = lab.program(ts`
      import { listen, prewarm, println, spawnProcess, spawnRemote, spawnThread } from 'wat-vm'
      const secret = new Uint8Array(32)
      const at = 'unix:/nonexistent'
      for (const start of [() => spawnProcess('./x.ts'), () => spawnThread('x.ts'), () => spawnRemote('./x.ts', { at, secret }),
        () => spawnProcess('./x.ts', { cwd: '/tmp' }), () => spawnProcess('./x.ts', { via: ['sh', '-c'] }), () => spawnProcess(() => 1)])
        await println(await start().ready.catch((error: any) => error.code))
      await println(await listen('unix:./s', n => n, { secret }).catch((error: any) => error.code))
      await println(await prewarm(1).catch((error: any) => error.code))`)
    const script =
      'mkdir "$3" && cd "$3" && rmdir "$3" && wat "$1"; wat ./x.ts; echo $?; echo 4 | wat -e "n => n + 1"; echo 4 | wat "$2"'
    const { stdout, stderr } = await lab.sh(script, { args: [program, fixture('double.ts'), gone] })
    const answers = ['offline', 'offline', 'offline', 'offline', 'offline', 'offline', 'denied', 'offline']
    expect(stdout, stderr).toBe(`${answers.map(answer => `"${answer}"\n`).join('')}66\n5\n8\n`)
  })
})

describe('a connection that has ended', () => {
  it('P68 P38 does not gather listeners, however often it is read and called', async ({ lab }) => {
    const secret = secretFile(lab)
    const host = lab.command(wat, ['host', 'tcp://127.0.0.1:0', '--secret', secret])
    const at = await host.stdout.value<string>()
    const program = lab.program(ts`
      import net from 'node:net'
      import { connect, listen, println, self, spawnRemote } from 'wat-vm'
      const [at, secret, program] = self.args as [string, string, string]
      const sockets = new Set<net.Socket>()
      const once = net.Socket.prototype.once
      net.Socket.prototype.once = function (this: net.Socket, ...args: any[]) { sockets.add(this); return (once as any).apply(this, args) } as any
      const listener = await listen('tcp://127.0.0.1:0', n => n, { secret })
      for (const child of [spawnRemote<any, any>(program, { at, secret }), connect<any, any>(listener.address, { secret })]) {
        await child.call(1)
        await child.stop()
        for (let n = 0; n < 200; n++) {
          await child.stdout.recv()
          await child.call(1).catch(() => {})
        }
      }
      await println(Math.max(...[...sockets].flatMap(socket => socket.eventNames().map(name => socket.listenerCount(name)))) < 20)
      await listener.close()`)
    const { stdout, stderr } = await lab.run(program, { args: [at!, secret, fixture('double.ts')] })
    expect([stdout, stderr]).toEqual(['true\n', ''])
    host.signal('SIGTERM')
    await host.ended
  })
})
