import { execFileSync, spawn, type StdioOptions } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { FOREIGN_SCRIPT, GUARD_SCRIPT } from '../../runtime/local/guard.ts'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { fixture, installed, searchPath } from '../support/machine.ts'
import { all, alive, gone, until } from '../support/proc.ts'

const TICKS = 8
const PIPES: StdioOptions = ['pipe', 'pipe', 'pipe', 'pipe', 'pipe']
const spins = ts`import { println } from 'wat-vm'; await println(1); for (;;) {}`

/** A command with a guard, as a parent starts it; `parent` is the other end of the guard's pipe. */
function guarded(
  lab: Lab,
  shell: string[],
  script: string,
  options: { env?: NodeJS.ProcessEnv; uid?: number } = {},
) {
  const [file = '', ...args] = shell
  const command = ['-c', script, 'wat', String(TICKS), 'tail', '-f', '/dev/null']
  const { uid, env } = options
  const child = spawn(file, [...args, ...command], {
    detached: true,
    stdio: PIPES,
    env: lab.env(env),
    ...(uid !== undefined && { uid, gid: uid }),
  })
  const exited = new Promise(resolve => child.once('exit', (code, signal) => resolve(signal ?? code)))
  const group = () => all().filter(({ pgid, state }) => pgid === child.pid && state !== 'Z')
  const ready = () =>
    until(
      () => group().some(({ command: line }) => line.startsWith('tail')),
      8000,
      () => 'not started',
    )
  return {
    pid: child.pid as number,
    parent: child.stdio[4] as Duplex,
    exited,
    group,
    ready,
    stderr: child.stderr,
  }
}

/** Under the name of `sh` all of them are what a parent starts; bash reads other files under its own. */
const shells = ['dash', 'bash', 'busybox']
const limited =
  process.getuid?.() === 0 && installed('prlimit') && process.platform === 'linux'
    ? false
    : 'needs root and prlimit'

for (const name of shells) {
  const missing = !installed(name)
  const asSh = (lab: Lab) => {
    const file = path.join(lab.folder(), 'sh')
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), file)
    chmodSync(path.dirname(file), 0o755)
    return [file]
  }
  describe.skipIf(missing)(`a guard in ${name} as sh${missing ? ', which is not installed' : ''}`, () => {
    it('P58 gives the child its time when the parent is gone, and then ends the group', async ({ lab }) => {
      for (const script of [GUARD_SCRIPT, FOREIGN_SCRIPT]) {
        const child = guarded(lab, asSh(lab), script)
        await child.ready()
        const started = performance.now()
        child.parent.destroy()
        expect(await child.exited).toBe(script === GUARD_SCRIPT ? 'SIGKILL' : 'SIGTERM')
        const took = performance.now() - started
        expect(took).toBeGreaterThan(script === GUARD_SCRIPT ? TICKS * 100 - 50 : TICKS * 50 - 50)
        expect(took).toBeLessThan(TICKS * 100 + 1000)
        await until(
          () => child.group().length === 0,
          1000,
          () => 'the group is there',
        )
      }
    })

    it.skipIf(limited)(
      `P58 does the same, not earlier and not later, where it can start no process${limited ? `: ${limited}` : ''}`,
      async ({ lab }) => {
        const uid = freshUid()
        const child = guarded(lab, ['prlimit', '--nproc=4', ...asSh(lab)], GUARD_SCRIPT, { uid })
        await child.ready()
        await until(
          () => child.group().length === 2,
          2000,
          () => 'not guarded',
        )
        const others = Array.from({ length: 4 }, () =>
          spawn('tail', ['-f', '/dev/null'], { uid, gid: uid, env: lab.env() }),
        )
        const started = performance.now()
        child.parent.destroy()
        expect(await child.exited).toBe('SIGKILL')
        const took = performance.now() - started
        expect(took).toBeGreaterThan(TICKS * 100 - 50)
        expect(took).toBeLessThan(TICKS * 100 + 1000)
        for (const other of others) other.kill('SIGKILL')
      },
    )

    it.skipIf(limited)(
      `P58 is there or the child does not start, at each number of processes that may be started${limited ? `: ${limited}` : ''}`,
      async ({ lab }) => {
        // bash itself tries again for a quarter of a minute.
        for (const free of name === 'bash' ? [] : [1, 2]) {
          const child = guarded(lab, ['prlimit', `--nproc=${free}`, ...asSh(lab)], GUARD_SCRIPT, {
            uid: freshUid(),
          })
          const told = new Promise(resolve => child.parent.once('data', data => resolve(String(data))))
          expect([free, await child.exited]).toEqual([free, 71])
          expect(await told).toBe('unguarded\n')
        }
      },
    )

    it('P58 is deaf to every signal that can be ignored, and its child is not', async ({ lab }) => {
      const child = guarded(lab, asSh(lab), GUARD_SCRIPT)
      await child.ready()
      const [guard] = child.group().filter(({ pid }) => pid !== child.pid)
      expect(guard).toBeDefined()
      // All but KILL, CHLD, CONT and STOP, and two that the C library keeps to itself.
      const ignored = ignoredBy(guard!.pid)
      for (let signal = 1; signal <= 64; signal++)
        if (![9, 17, 18, 19, 32, 33].includes(signal))
          expect([signal, ignored.has(signal)]).toEqual([signal, true])
      expect([...ignoredBy(child.pid)]).toEqual([])
      for (let signal = 1; signal <= 64; signal++)
        if (![9, 19, 32, 33].includes(signal)) process.kill(guard!.pid, signal)
      child.parent.destroy()
      expect(await child.exited).toBe('SIGKILL')
      await gone([guard!.pid], 1000)
    })

    it('P58 is not led astray by its environment, and changes nothing in the one of its child', async ({
      lab,
    }) => {
      const bin = lab.folder()
      for (const command of ['sleep', 'kill']) {
        writeFileSync(path.join(bin, command), '#!/bin/sh\nexec tail -f /dev/null\n')
        chmodSync(path.join(bin, command), 0o755)
      }
      writeFileSync(path.join(bin, 'rc'), 'exit 3\n')
      const env = {
        PATH: `${bin}:${searchPath}`,
        ENV: path.join(bin, 'rc'),
        BASH_ENV: path.join(bin, 'rc'),
        SHELLOPTS: 'errexit:noglob',
        POSIXLY_CORRECT: '1',
        IFS: '/',
        ...Object.fromEntries(
          ['sleep', 'kill', 'read', 'command'].map(f => [`BASH_FUNC_${f}%%`, '() { tail -f /dev/null; }']),
        ),
        ...Object.fromEntries(
          ['ticks', 'own', 'child', 'end', 'half', 'line', 'watch', 'turned'].map(v => [v, 'mine']),
        ),
      }
      const child = guarded(lab, asSh(lab), GUARD_SCRIPT, { env })
      await child.ready()
      const environ = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0')
      for (const variable of ['ticks', 'own', 'child', 'end', 'half', 'line', 'watch', 'turned'])
        expect(environ).toContain(`${variable}=mine`)
      child.parent.destroy()
      expect(await child.exited).toBe('SIGKILL')
    })
  })
}

describe('a guard', () => {
  it('P58 outlives what a program sends to its own group, and still ends it', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 300 })
        await println(await child.stdout.recv())
        process.kill(process.pid, 'SIGKILL')`,
      'child.ts': ts`
        import { println } from 'wat-vm'
        for (const signal of ['SIGUSR2', 'SIGWINCH', 'SIGTTOU', 'SIGIO', 'SIGURG', 'SIGXFSZ', 'SIGVTALRM', 'SIGALRM'] as const) {
          process.on(signal, () => {})
          process.kill(0, signal)
        }
        await println(process.pid)
        for (;;) {}`,
    })
    const live = lab.start(program)
    const pid = await live.stdout.value<number>()
    await live.ended
    await gone([pid!], 300 + 1000)
    await lab.noSurvivors(1000)
  })

  it('P58 leaves a program the signals as they are: no other is ignored than in any Node', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(await child.stdout.recv())`,
      'child.ts': ts`
        import { readFileSync } from 'node:fs'
        import { println } from 'wat-vm'
        await println(/SigIgn:\s+(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])`,
    })
    expect(await lab.facts(program)).toEqual([
      /SigIgn:\s+(\w+)/.exec(
        execFileSync(process.execPath, ['-p', `fs.readFileSync('/proc/self/status', 'utf8')`], {
          encoding: 'utf8',
        }),
      )![1],
    ])
  })

  for (const whose of ['a root', 'a process in the middle']) {
    it(`P59 that is suspended along with its group is woken up when the parent is killed: ${whose}`, async ({
      lab,
    }) => {
      const program = lab.program({
        'root.ts': ts`
          import { println, spawnProcess } from 'wat-vm'
          const middle = spawnProcess<any, any>(new URL('./parent.ts', import.meta.url), { stopGrace: 600 })
          for await (const pids of middle.stdout) await println(pids)`,
        'parent.ts': ts`
          import { println, serve, spawnProcess } from 'wat-vm'
          const idle = spawnProcess(${JSON.stringify(fixture('double.ts'))}, { stopGrace: 600 })
          const stuck = spawnProcess(new URL('./spins.ts', import.meta.url), { stopGrace: 600 })
          await Promise.all([idle.call(1), stuck.stdout.recv()])
          await new Promise(resolve => setTimeout(resolve, 50))
          for (const { pid } of [idle, stuck]) process.kill(-pid!, 'SIGSTOP')
          await println([process.pid, idle.pid, stuck.pid])
          setInterval(() => {}, 1000)`,
        'spins.ts': spins,
      })
      const start = whose === 'a root' ? path.join(path.dirname(program), 'parent.ts') : program
      const live = lab.start(start)
      const [parent, ...below] = (await live.stdout.value<number[]>())!
      expect(below.filter(alive)).toHaveLength(2)
      process.kill(parent!, 'SIGKILL')
      await gone(below, 600 + 1000)
      await live.end()
      await lab.noSurvivors(1000)
    })
  }
})

let uids = 0
function freshUid(): number {
  return 200_000 + (process.pid % 50_000) * 40 + uids++
}

function ignoredBy(pid: number): Set<number> {
  const mask = BigInt(`0x${/SigIgn:\s+(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]}`)
  return new Set(
    Array.from({ length: 64 }, (_, n) => n + 1).filter(signal => (mask >> BigInt(signal - 1)) & 1n),
  )
}
