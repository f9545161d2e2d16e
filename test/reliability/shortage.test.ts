import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts, type Lab, type Settings } from '../support/lab.ts'
import { fixture, installed, searchPath, wat } from '../support/machine.ts'
import { all } from '../support/proc.ts'
import type { Live } from '../support/live.ts'

const GRACE_MS = 600

/** For the source of a program: takes the descriptors that are left, but for so many. */
const takeDescriptors = ts`
  import { closeSync, fstatSync, openSync } from 'node:fs'
  const take = (leave: number) => {
    const taken: number[] = []
    try { for (;;) taken.push(openSync('/dev/null', 'r')) } catch {}
    for (const fd of taken.splice(0, leave)) closeSync(fd)
    return () => taken.splice(0).forEach(fd => closeSync(fd))
  }
  const open = () => Array.from({ length: 100 }, (_, fd) => fd).filter(fd => {
    try { return fstatSync(fd) } catch { return false }
  }).length
`

/** Runs a program that may have 100 descriptors. */
function withFew(lab: Lab, program: string, settings: Settings = {}): Live {
  return lab.command('sh', ['-c', 'ulimit -n 100; exec "$@"', 'sh', wat, program], settings)
}

/** A process that spins, below one that spins, and a process of its own session below that. */
const deep = ts`
  import { spawn } from 'node:child_process'
  import { println, self, spawnProcess } from 'wat-vm'
  if (self.args[0] === '1') {
    const below = spawnProcess(import.meta.filename, { args: ['0'] })
    await println(await below.stdout.recv())
  } else {
    const apart = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    await println(apart.pid)
  }
  for (;;) {}`

describe('a forced end', () => {
  for (const [how, inTime] of [
    ['kill', 1000],
    ['stop', GRACE_MS + 1000],
  ] as const) {
    it(`P56 ${how} works without a descriptor: the first one, and the whole subtree is gone`, async ({
      lab,
    }) => {
      const program = lab.program({
        'root.ts': ts`
          import { println, spawnProcess } from 'wat-vm'
          ${takeDescriptors}
          const child = spawnProcess(new URL('./deep.ts', import.meta.url), { args: ['1'], stopGrace: ${GRACE_MS} })
          await child.stdout.recv()
          const give = take(0)
          const started = performance.now()
          const exit = await child.${how}()
          await println([exit, performance.now() - started < ${inTime}])
          give()
          setTimeout(() => process.exit(0), 100)`,
        'deep.ts': deep,
      })
      const { code, stdout, stderr } = await withFew(lab, program).end()
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: '[{:signal "SIGKILL"} true]\n',
        stderr: '',
      })
      await lab.noSurvivors(1000)
    })
  }

  it('P56 works with one descriptor, with which a part of the processes can be looked at', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${takeDescriptors}
        const child = spawnProcess(new URL('./deep.ts', import.meta.url), { args: ['1'], stopGrace: ${GRACE_MS} })
        await child.stdout.recv()
        take(1)
        await println(await child.kill())
        process.exit(0)`,
      'deep.ts': deep,
    })
    expect(await withFew(lab, program).end()).toMatchObject({ code: 0, stdout: '{:signal "SIGKILL"}\n' })
    await lab.noSurvivors(1000)
  })

  it('P56 runs no `ps` where there is a /proc', async ({ lab }) => {
    const folder = lab.folder()
    writeFileSync(path.join(folder, 'ps'), '#!/bin/sh\n: >"$0.ran"\nexec sleep 60\n', { mode: 0o755 })
    const program = lab.program(ts`
      import { existsSync } from 'node:fs'
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0]!, { stopGrace: ${GRACE_MS} })
      await child.stdout.recv()
      await println(await child.kill(), existsSync(self.args[1]! + '/ps.ran'))
      await println(existsSync(self.args[1]! + '/ps.ran'))`)
    const env = { PATH: `${folder}:${searchPath}` }
    const spins = lab.program(ts`import { println } from 'wat-vm'; await println(1); for (;;) {}`)
    expect(await lab.facts(program, { args: [spins, folder], env })).toEqual([{ signal: 'SIGKILL' }, false])
  })

  const noProc = process.getuid?.() === 0 && installed('unshare') ? false : 'needs root and unshare'
  for (const [what, script, limit] of [
    ['prints nothing', 'exit 0', ''],
    ['hangs', 'exec sleep 60', ''],
    ['fails', 'exit 3', ''],
    ['prints garbage', 'echo oops', ''],
    ['is missing', undefined, ''],
    ['cannot be started', 'exit 0', 'ulimit -n 100;'],
  ] as const) {
    it.skipIf(noProc)(
      `P56 without a /proc, and a \`ps\` that ${what}, it ends all the same${noProc ? `: ${noProc}` : ''}`,
      async ({ lab }) => {
        const bin = lab.folder()
        symlinkSync(process.execPath, path.join(bin, 'node'))
        for (const command of ['sh', 'readlink', 'sleep'])
          symlinkSync(found(command), path.join(bin, command))
        if (script) writeFileSync(path.join(bin, 'ps'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
        const program = lab.program({
          'root.ts': ts`
          import { println, spawnProcess } from 'wat-vm'
          ${takeDescriptors}
          const child = spawnProcess(new URL('./deep.ts', import.meta.url), { args: ['1'], stopGrace: ${GRACE_MS} })
          process.kill(await child.stdout.recv(), 'SIGKILL') // without a /proc and a ps nobody finds that one
          if (${String(limit !== '')}) take(0)
          const started = performance.now()
          const exit = await child.kill()
          await println([exit, performance.now() - started < 1000])
          process.exit(0)`,
          'deep.ts': deep,
        })
        const line = `umount -l /proc; ${limit} PATH=${bin}; exec ${wat} ${program}`
        const { code, stdout, stderr } = await lab.command('unshare', ['-m', 'sh', '-c', line]).end()
        expect({ code, stdout, stderr }).toEqual({
          code: 0,
          stdout: '[{:signal "SIGKILL"} true]\n',
          stderr: '',
        })
        await lab.noSurvivors(GRACE_MS + 1000)
      },
    )
  }
})

describe('a start', () => {
  it('P57 without enough descriptors is offline with the reason, leaks none, and works when there are some again', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { prewarm, println, spawnProcess } from 'wat-vm'
      ${takeDescriptors}
      const double = ${JSON.stringify(fixture('double.ts'))}
      await spawnProcess(double).stop()
      await new Promise(resolve => setTimeout(resolve, 100))
      const told: unknown[] = []
      for (let free = 0; free < 12; free++) {
        const give = take(free)
        const before = open()
        for (const options of [{}, { via: ['env'] }]) {
          const child = spawnProcess<any, any>(double, options)
          const code = (error: any) => error.code
          const all = await Promise.all([child.ready.catch(code), child.call(1).catch(code), child.exited])
          told.push([all[0], all[1], all[2].panic?.code, all[2].code, all[2].signal])
        }
        const spares = await prewarm(1).catch(error => error.code)
        told.push(spares)
        await prewarm(0)
        await new Promise(resolve => setTimeout(resolve, 20))
        if (open() > before) told.push('leak ' + [free, before, open()])
        give()
      }
      await println([...new Set(told.map(each => JSON.stringify(each)))])
      await println(await spawnProcess<any, any>(double).call(4))`)
    const { code, stdout } = await withFew(lab, program).end()
    const offline = JSON.stringify(['offline', 'offline', 'offline', undefined, undefined])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${JSON.stringify([offline, '"offline"']).replaceAll(',"\\"off', ' "\\"off')}\n8\n`,
    })
  })

  it('P57 of the very first child without a descriptor too: what a start needs is not there yet', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, spawnProcess, spawnThread } from 'wat-vm'
      ${takeDescriptors}
      const double = ${JSON.stringify(fixture('double.ts'))}
      const give = take(0)
      for (const spawn of [spawnProcess, spawnThread]) {
        const child = spawn<any, any>(double)
        const { panic } = await child.exited
        await println([await child.call(1).catch(error => error.code), panic !== undefined])
      }
      give()
      await println(await spawnProcess<any, any>(double).call(4))`)
    const { code, stdout } = await withFew(lab, program).end()
    expect({ code, stdout }).toEqual({ code: 0, stdout: '["offline" true]\n["offline" true]\n8\n' })
  })
})

const asNobody =
  process.getuid?.() === 0 && installed('setpriv') && installed('prlimit')
    ? false
    : 'needs root, setpriv and prlimit'

describe('at the limit of processes', () => {
  it.skipIf(asNobody)(
    `P56 P57 P58 a start is offline, a kill kills, and nothing runs unguarded${asNobody ? `: ${asNobody}` : ''}`,
    async ({ lab }) => {
      const program = lab.program({
        'root.ts': ts`
        import { println, serve, spawnProcess } from 'wat-vm'
        const spins = () => spawnProcess<any, any>(new URL('./spins.ts', import.meta.url), { stopGrace: ${GRACE_MS} })
        const child = spins()
        await child.stdout.recv()
        await new Promise(resolve => setTimeout(resolve, 50)) // what else a first spawn starts has been started
        await println(process.pid)
        await serve(async order => {
          if (order === 'kill') return child.kill()
          const late = spins()
          const { panic, code, signal } = await late.exited
          return [panic?.code ?? null, panic?.message ?? null, code ?? null, signal ?? null]
        })`,
        'spins.ts': ts`import { println } from 'wat-vm'; await println(1); for (;;) {}`,
      })
      chmodSync(path.dirname(program), 0o755)
      const uid = 100_000 + (process.pid % 100_000)
      const as = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups']
      const live = lab.command('setpriv', [...as, wat, program])
      const pid = await live.stdout.value<number>()
      // One place less after the other is missing: for the shell, for what leaves the guard, for the guard.
      for (const free of [0, 1, 2]) {
        const limit = `--nproc=${threadsOf(uid) + free}:`
        await lab.command('setpriv', [...as, 'prlimit', '--pid', String(pid), limit]).ended
        live.write('"start"\n')
        const [code, message, ...exit] = (await live.stdout.value<unknown[]>())!
        expect([free, code, message, exit]).toEqual([
          free,
          'offline',
          expect.stringContaining('cannot start'),
          [null, null],
        ])
      }
      live.write('"kill"\n')
      expect(await live.stdout.value()).toEqual({ signal: 'SIGKILL' })
      expect((await live.end()).code).toBe(0)
      await lab.noSurvivors(GRACE_MS + 1000)
    },
  )
})

function threadsOf(uid: number): number {
  return all()
    .map(({ pid }) => statusOf(pid))
    .filter(status => Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) === uid)
    .reduce((sum, status) => sum + Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]), 0)
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // gone meanwhile
  }
}

function found(command: string): string {
  const folder = searchPath.split(':').find(each => installedIn(each, command))
  return path.join(folder ?? '/bin', command)
}

function installedIn(folder: string, command: string): boolean {
  return ['/bin', '/usr/bin'].includes(folder) && installed(command)
}
