import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { fixture, installed } from '../support/machine.ts'
import { gone, descendants } from '../support/proc.ts'

const double = fixture('double.ts')
const args = [double]

/** Runs a line of shell with $1 the program double.ts; its stderr has to stay empty. */
async function line(lab: Lab, script: string, more: string[] = []) {
  const { stdout, stderr } = await lab.sh(script, { args: [double, ...more] })
  expect(stderr, script).toBe('')
  return stdout
}

describe('wat in a shell', () => {
  it('P23 stdin may be a pipe, a file, /dev/null or closed', async ({ lab }) => {
    const file = path.join(lab.folder(), 'input')
    writeFileSync(file, '1 2\n3')
    expect(await line(lab, 'echo 21 | wat "$1"; echo $?')).toBe('42\n0\n')
    expect(await line(lab, 'wat "$1" < "$2"; echo $?', [file])).toBe('2\n4\n6\n0\n')
    expect(await line(lab, 'wat "$1" < /dev/null; echo $?')).toBe('0\n')
    expect(await line(lab, 'wat "$1" <&-; echo $?')).toBe('0\n')
  })

  it('P23 a file is read from where the shell stands in it, and appended to where it ends', async ({
    lab,
  }) => {
    const file = path.join(lab.folder(), 'input')
    const output = path.join(lab.folder(), 'output')
    writeFileSync(file, 'header\n1 2\n')
    expect(await line(lab, '{ read -r _; wat "$1"; } < "$2"', [file])).toBe('2\n4\n')
    await line(
      lab,
      '{ echo first; echo 1 | wat "$1"; echo 2 | wat "$1"; } > "$2"; echo 3 | wat "$1" >> "$2"',
      [output],
    )
    expect(readFileSync(output, 'utf8')).toBe('first\n2\n4\n6\n')
  })

  it('P23 stdout may be a pipe, a file, /dev/null or closed', async ({ lab }) => {
    expect(await line(lab, 'echo 21 | wat "$1" | cat')).toBe('42\n')
    expect(await line(lab, 'echo 21 | wat "$1" > /dev/null; echo $?')).toBe('0\n')
    const closed = await lab.sh('echo 21 | wat "$1" >&-; echo $? >&2', { args })
    expect(closed.stderr).toMatch(/(^|\n)[1-9]\d*\n$/) // it cannot say what it has to say: no success
  })

  it('P23 stderr may be closed, a file or /dev/full', async ({ lab }) => {
    const noisy = lab.program(ts`
      import { log, serve } from 'wat-vm'
      await serve((n: number) => {
        log.info('noise')
        console.error('noise')
        return n * 2
      })`)
    for (const where of ['2>&-', '2>/dev/null', '2>/dev/full', '2>"$2"']) {
      const { stdout } = await lab.sh(`echo 21 | wat "$1" ${where}; echo $?`, {
        args: [noisy, `${noisy}.log`],
      })
      expect(stdout, where).toBe('42\n0\n')
    }
    expect(readFileSync(`${noisy}.log`, 'utf8')).toMatch(/#wat\/log.*\nnoise\n/)
  })

  it('P23 all three closed: no crash, no hang', async ({ lab }) => {
    const { stdout } = await lab.sh('wat "$1" <&- >&- 2>&-; echo $?', { args })
    expect(stdout).toBe('0\n')
  })

  it('P23 /dev/full as stdout is a failure that is told', async ({ lab }) => {
    const { stdout, stderr } = await lab.sh('echo 21 | wat "$1" > /dev/full; echo $?', { args })
    expect(Number(stdout)).toBeGreaterThan(0)
    expect(stderr).toContain('ENOSPC')
  })

  it('P23 stdin and stdout may be sockets', async ({ lab }) => {
    const server = net.createServer(socket => socket.end('21 4'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as net.AddressInfo
    const socket = net.connect({ port, host: '127.0.0.1' })
    await new Promise(resolve => socket.once('connect', resolve))
    const live = lab.command('wat', [double], { stdio: [socket, 'pipe', 'pipe'] })
    expect(await live.ended).toEqual({ code: 0, signal: null, stdout: '42\n8\n', stderr: '' })
    socket.destroy()
    server.close()
  })

  it('P23 the shared pipe of a shell stays blocking for those beside us', async ({ lab }) => {
    const stdout = await line(
      lab,
      '{ head -c 300000 /dev/zero | tr "\\0" x; echo 21 | wat "$1"; head -c 300000 /dev/zero | tr "\\0" x; } | { sleep 0.5; wc -c; }',
    )
    expect(Number(stdout)).toBe(600_003)
  })

  it('P23 `yes 1 | wat double.ts | head -3` is quiet, ends, and the subtree is gone', async ({ lab }) => {
    const parent = lab.program({
      'parent.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const child = spawnProcess<number, number>(new URL('./child.ts', import.meta.url))
        await serve((n: number) => child.call(n))`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve((n: number) => n * 2)`,
    })
    for (const program of [double, parent]) {
      const outcome = await lab.sh(
        '{ yes 1; echo "yes=$?" >&3; } 2>/dev/null | { wat "$1"; echo "wat=$?" >&3; } | head -3',
        {
          args: [program],
          stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        },
      )
      expect(outcome).toMatchObject({ code: 0, stdout: '2\n2\n2\n', stderr: '' })
      await lab.noSurvivors(3000)
    }
    const code = await lab.sh('yes 1 2>/dev/null | { wat "$1"; echo $? >&2; } | head -3', { args })
    expect(code.stderr).toBe('141\n')
  })

  it('P23 a program that prints for ever into head ends as quietly', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      for (let n = 0; ; n++) await println(n)`)
    const { stdout, stderr } = await lab.sh('{ wat "$1"; echo $? >&2; } | head -1', { args: [program] })
    expect([stdout, stderr]).toEqual(['0\n', '141\n'])
  })

  it('P23 with `set -e` and `-o pipefail` manners: exit codes reach the shell', async ({ lab }) => {
    const thrower = lab.program(
      ts`import { serve } from 'wat-vm'; await serve(() => { throw new Error('no') })`,
    )
    const { stdout } = await lab.sh(
      'echo 1 | wat "$1"; echo $?; echo ")" | wat "$2"; echo $?; wat /nope.ts; echo $?',
      {
        args: [thrower, double],
      },
    )
    expect(stdout).toBe('1\n65\n66\n')
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`P37 ${signal} is ${code} to the shell; the tree is gone and the hooks have run`, async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { println, self, serve, spawnProcess } from 'wat-vm'
          const child = spawnProcess(new URL('./child.ts', import.meta.url))
          self.onStop(() => println('hook'))
          await println([process.pid, await child.call(1)])
          await serve(n => n)`,
        'child.ts': ts`
          import { serve } from 'wat-vm'
          await serve(() => process.pid)`,
      })
      const live = lab.command('sh', ['-c', 'wat "$1"; echo "code $?"', 'sh', program])
      const pids = (await live.stdout.value<number[]>())!
      process.kill(pids[0]!, signal)
      expect(await live.ended).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(`\n"hook"\ncode ${code}\n$`),
      })
      await gone(pids, 500)
    })
  }

  it('P37 a second SIGINT kills the tree at once, hooks or not', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { log, println, self, spawnProcess } from 'wat-vm'
        const child = spawnProcess(self.args[0], { stopGrace: 20_000 })
        await child.stdin.send(1)
        self.signal.addEventListener('abort', () => void println('stopping'))
        self.onStop(() => new Promise(() => {}))
        await println(await child.stdout.recv())
        await child.stdout.recv()`,
    })
    const live = lab.start(program, { args: [fixture('stuck.ts')], env: { WAT_STOP_GRACE_MS: '20000' } })
    await live.stdout.line()
    live.signal('SIGINT')
    expect(await live.stdout.line()).toBe('"stopping"')
    const started = performance.now()
    live.signal('SIGINT')
    expect(await live.ended).toMatchObject({ signal: 'SIGINT' })
    expect(performance.now() - started).toBeLessThan(3000)
    await lab.noSurvivors(2000)
  })

  it('P37 SIGTERM again and again is one stop', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, serve } from 'wat-vm'
      self.onStop(async () => {
        await new Promise(resolve => setTimeout(resolve, 300))
        await println('hook')
      })
      await println('on')
      await serve(n => n)`)
    const live = lab.start(program)
    await live.stdout.line()
    for (let n = 0; n < 5; n++) live.signal('SIGTERM')
    expect(await live.ended).toMatchObject({ signal: 'SIGTERM', stdout: '"on"\n"hook"\n', stderr: '' })
  })

  it('P37 SIGTERM while it boots ends it, whenever it comes', async ({ lab }) => {
    for (const ms of [5, 15, 25, 35, 45, 60, 80]) {
      const live = lab.start(fixture('forever.ts'))
      setTimeout(() => live.signal('SIGTERM'), ms)
      const { signal, code } = await live.ended
      expect(signal ?? code).toBe('SIGTERM')
    }
  })
})

const terminal = installed('script') ? it : it.skip
describe('wat at a terminal (needs `script`)', () => {
  /** Runs a line of shell on a pseudo-terminal; what it shows. */
  const onTerminal = (lab: Lab, script: string) =>
    lab.command('script', ['-qec', script, '/dev/null'], { env: { TERM: 'xterm', NO_COLOR: undefined } })

  terminal('P19 a person sees records in a readable form, the rest of the world EDN', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, println, serve } from 'wat-vm'
      log.info('hello there', { a: 1 })
      await println(process.stderr.isTTY)
      throw new Error('boom')`)
    const { stdout } = await onTerminal(lab, `wat '${program}' < /dev/null`).end()
    expect(stdout).toContain('hello there')
    expect(stdout).toContain('boom')
    expect(stdout).toMatch(/true\r?\n/)
    expect(stdout).not.toContain('#wat/')
  })

  terminal('P23 values typed at a terminal are answered, Ctrl-D ends', async ({ lab }) => {
    const live = onTerminal(lab, `stty -echo; wat '${double}'; echo "code $?"`)
    live.write('21\n')
    expect(await live.stdout.match(/^42\r?$/)).toBeTruthy()
    live.write('4\n')
    expect(await live.stdout.match(/^8\r?$/)).toBeTruthy()
    live.write('\x04')
    expect(await live.stdout.match(/code/)).toMatch(/code 0/)
    await live.end()
  })

  describe('P75 what a person is told', () => {
    const HINT = 'reads EDN values from this terminal; end with Ctrl-D'

    terminal('P75 a program that waits for a person says so in one dim line on stderr', async ({ lab }) => {
      const reads = lab.program({ 'reads.ts': ts`import { readln } from 'wat-vm'; await readln()` })
      for (const [program, name] of [
        [double, 'double'],
        [reads, 'reads'],
      ] as const) {
        const live = onTerminal(lab, `stty -echo; wat '${program}' >/dev/null`)
        expect(await live.stdout.match(/Ctrl-D/)).toBe(`\x1b[2m${name} ${HINT}\x1b[22m\r`)
        live.write('\x04')
        const { stdout } = await live.end()
        expect(stdout.split('Ctrl-D')).toHaveLength(2)
      }
      const plain = onTerminal(lab, `stty -echo; NO_COLOR=1 wat '${double}'`)
      expect(await plain.stdout.match(/Ctrl-D/)).toBe(`double ${HINT}\r`)
      await plain.end('\x04')
    })

    terminal('P75 a program that does not wait for a person says nothing of it', async ({ lab }) => {
      const prints = lab.program(ts`import { println } from 'wat-vm'; await println('done')`)
      const parent = lab.program(ts`
        import { println, spawnProcess } from 'wat-vm'
        await println(await spawnProcess<number, number>('${double}').call(2))`)
      for (const line of [
        `wat '${prints}'`,
        `wat '${parent}'`,
        `echo 2 | wat '${double}'`,
        `wat '${double}' </dev/null`,
      ]) {
        const { stdout } = await onTerminal(lab, line).end()
        expect(stdout, line).not.toContain('Ctrl-D')
      }
      const unseen = onTerminal(lab, `stty -echo; wat '${double}' 2>/dev/null`)
      unseen.write('2\n')
      await unseen.stdout.match(/4/)
      const { stdout } = await unseen.end('\x04')
      expect(stdout).not.toContain('Ctrl-D')
    })

    terminal('P75 what a child or grandchild prints stands behind its address', async ({ lab }) => {
      const program = lab.program({
        'root.ts': ts`
          import { spawnProcess } from 'wat-vm'
          console.log('from the root ; "/nobody"')
          await spawnProcess(new URL('./kid.ts', import.meta.url)).exited`,
        'kid.ts': ts`
          import { spawnProcess } from 'wat-vm'
          console.log('from "the kid" ; /nobody')
          process.stderr.write('#wat/raw "its own ; /nobody"\n')
          await spawnProcess(() => { console.log('from below') }, { name: 'grandkid' }).exited`,
      })
      const { stdout } = await onTerminal(lab, `NO_COLOR=1 wat '${program}' </dev/null`).end()
      expect(stdout.replaceAll('\r', '').trimEnd().split('\n')).toEqual([
        'from the root ; "/nobody"',
        '/kid from "the kid" ; /nobody',
        'its own ; /nobody',
        '/kid/grandkid from below',
      ])
    })
  })

  terminal('P37 Ctrl-C reaches the root alone, every process stops once', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { appendFileSync } from 'node:fs'
        import { println, self, serve, spawnProcess } from 'wat-vm'
        const journal = self.args[0]!
        process.on('SIGINT', () => appendFileSync(journal, self.address + ' SIGINT\n'))
        self.onStop(() => appendFileSync(journal, self.address + ' hook\n'))
        if (self.address.split('/').length < 4) {
          const child = spawnProcess(import.meta.filename, { args: [...self.args] })
          await child.ready
        }
        await println(self.address.length > 1 ? 'ready' : 'up')
        await serve(n => n)`,
    })
    const journal = `${program}.journal`
    const live = onTerminal(lab, `trap : INT; wat '${program}' '${journal}'; echo "code $?"`)
    await live.stdout.match(/"up"/)
    live.write('\x03')
    expect(await live.stdout.match(/code/)).toMatch(/code 130/)
    await live.end()
    const events = readFileSync(journal, 'utf8').trim().split('\n')
    expect(events.filter(event => event.endsWith('SIGINT'))).toEqual(['/ SIGINT'])
    expect(events.filter(event => event.endsWith('hook'))).toHaveLength(4)
  })

  terminal('P36 when the terminal closes, the tree is gone', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, serve, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0], { stopGrace: 500 })
      await child.ready
      await println('up')
      await serve(n => n)`)
    const live = onTerminal(lab, `wat '${program}' '${fixture('forever.ts')}'`)
    await live.stdout.match(/"up"/)
    const below = descendants(live.pid).map(({ pid }) => pid)
    live.signal('SIGKILL')
    await live.ended
    await gone(below, 7000)
  })
})
