import { appendFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { fixture, searchPath } from '../support/machine.ts'
import { alive, gone, info } from '../support/proc.ts'

/**
 * A tree: every process above the leaves starts `width` below it, and prints every pid of its subtree as
 * `[address pid]`, the root as the last. The leaves of `stuck` addresses spin. Hooks write a journal.
 */
const tree = ts`
  import { appendFileSync } from 'node:fs'
  import { println, self, serve, spawnProcess } from 'wat-vm'
  const [depth, width, stuck, journal] = JSON.parse(self.args[0]!) as [number, number, string, string]
  self.onStop(() => appendFileSync(journal, self.address + '\n'))
  const pids: [string, number][] = [[self.address, process.pid]]
  if (depth > 1) {
    const args = [JSON.stringify([depth - 1, width, stuck, journal])]
    const below = Array.from({ length: width }, (_, n) =>
      spawnProcess<any, any>(import.meta.filename, { args, name: 'n' + n, stopGrace: 1500 }))
    for (const child of below) pids.push(...(await child.stdout.recv()))
  }
  await println(pids)
  if (new RegExp(stuck).test(self.address)) for (;;) {}
  await serve(n => n)
`

const GRACE_MS = 1500
const BOUND_MS = GRACE_MS + 1000 + 1500 // the last for a busy machine

async function grow(lab: Lab, depth: number, width: number, stuck: string, env = {}) {
  const program = lab.program({ 'tree.ts': tree })
  const journal = path.join(path.dirname(program), 'journal')
  appendFileSync(journal, '')
  const live = lab.start(program, { args: [JSON.stringify([depth, width, stuck, journal])], env })
  const pids = new Map(await live.stdout.value<[string, number][]>())
  return { live, pids, hooks: () => readFileSync(journal, 'utf8').trim().split('\n').filter(Boolean) }
}

describe('a sudden death', () => {
  it('P36 kill -9 of the root of a tree of depth 3 and width 2: nobody is alive, and the hooks ran', async ({
    lab,
  }) => {
    const { live, pids, hooks } = await grow(lab, 3, 2, '-')
    expect(pids.size).toBe(7)
    live.signal('SIGKILL')
    await gone(pids.values(), BOUND_MS)
    await lab.noSurvivors(1000)
    expect(hooks().sort()).toEqual([...pids.keys()].filter(address => address !== '/').sort())
  })

  it('P36 the same with a leaf in for(;;){}: nobody is alive, and everybody else ran their hooks', async ({
    lab,
  }) => {
    const { live, pids, hooks } = await grow(lab, 3, 2, '^/n0/n1$')
    live.signal('SIGKILL')
    await gone(pids.values(), BOUND_MS)
    await lab.noSurvivors(1000)
    expect(hooks().sort()).toEqual([...pids.keys()].filter(a => a !== '/' && a !== '/n0/n1').sort())
  })

  it('P36 the same with three levels in for(;;){}, one below the other: one deadline, not three', async ({
    lab,
  }) => {
    const { live, pids } = await grow(lab, 4, 1, '^/n')
    live.signal('SIGKILL')
    await gone(pids.values(), BOUND_MS)
    await lab.noSurvivors(1000)
  })

  it('P36 kill -9 in the middle: what is below dies, what is beside it lives and answers', async ({
    lab,
  }) => {
    const { live, pids, hooks } = await grow(lab, 3, 2, '^/n0/n0$')
    process.kill(pids.get('/n0')!, 'SIGKILL')
    const below = ['/n0', '/n0/n0', '/n0/n1']
    await gone(
      below.map(address => pids.get(address)!),
      BOUND_MS,
    )
    for (const [address, pid] of pids)
      expect([address, alive(pid)]).toEqual([address, !below.includes(address)])
    expect(hooks()).toEqual(['/n0/n1'])
    live.write('5\n')
    expect(await live.stdout.value()).toBe(5)
    expect((await live.end()).code).toBe(0)
  })

  it('P36 kill -9 of every process of the tree but the stuck leaf, one after the other', async ({ lab }) => {
    const { pids } = await grow(lab, 4, 1, '^/n0/n0/n0$')
    for (const address of ['/n0/n0', '/n0', '/']) process.kill(pids.get(address)!, 'SIGKILL')
    await gone(pids.values(), BOUND_MS)
  })

  it('P36 in the middle of the boot: the root is killed at once, and no orphan is left', async ({ lab }) => {
    const program = lab.program({ 'tree.ts': tree })
    const args = [JSON.stringify([3, 2, '.', path.join(path.dirname(program), 'journal')])]
    for (const ms of [40, 60, 80, 100, 120, 150, 200, 250]) {
      const live = lab.start(program, { args })
      setTimeout(() => live.signal('SIGKILL'), ms)
      await live.ended
    }
    await lab.noSurvivors(BOUND_MS)
  })

  it('P36 works where ps, and everything else but sh and sleep, is missing', async ({ lab }) => {
    const bin = lab.folder()
    for (const command of ['sh', 'sleep', 'readlink', 'node', 'dirname']) {
      const found = searchPath
        .split(':')
        .map(folder => path.join(folder, command))
        .find(file => existsSync(file))
      if (command === 'node') symlinkSync(process.execPath, path.join(bin, command))
      else if (found) symlinkSync(found, path.join(bin, command))
    }
    const { live, pids } = await grow(lab, 3, 2, '^/n0/n1$', { PATH: bin })
    live.signal('SIGKILL')
    await gone(pids.values(), BOUND_MS)
    await lab.noSurvivors(1000)

    const again = await grow(lab, 3, 1, '^/n0/n0$', { PATH: bin, WAT_STOP_GRACE_MS: '2000' })
    again.live.signal('SIGTERM')
    expect(await again.live.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' })
    await gone(again.pids.values(), BOUND_MS)
  })

  it('P36 kill -9 of the parent of one that does not read its input, and of one in mid-request: hooks run, the request is told', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { appendFileSync } from 'node:fs'
      import { println, self, serve, spawnProcess } from 'wat-vm'
      const say = (event: string) => appendFileSync(self.args[0]!, event + '\n')
      if (self.name === 'timer') {
        setInterval(() => {}, 1000)
        self.onStop(() => say('timer stops'))
      } else if (self.name === 'server') {
        await serve((_, { signal }) => {
          void println('at work')
          return new Promise(resolve => signal.addEventListener('abort', () => resolve(say('request aborts'))))
        })
      } else {
        const child = (name: string) => spawnProcess(import.meta.filename, { name, args: self.args, stopGrace: 1000 })
        const [timer, server] = [child('timer'), child('server')]
        await timer.ready
        void server.call(1)
        await println(await server.stdout.recv())
        await serve(n => n)
      }`)
    const journal = path.join(path.dirname(program), 'journal')
    const live = lab.start(program, { args: [journal] })
    await live.stdout.line()
    live.signal('SIGKILL')
    await lab.noSurvivors(BOUND_MS)
    expect(readFileSync(journal, 'utf8').trim().split('\n').sort()).toEqual(['request aborts', 'timer stops'])
  })

  it('P36 processes that are stopped with SIGSTOP die too: they are woken up and run their hooks', async ({
    lab,
  }) => {
    const { live, pids, hooks } = await grow(lab, 3, 1, '-')
    process.kill(pids.get('/n0')!, 'SIGSTOP')
    process.kill(pids.get('/n0/n0')!, 'SIGSTOP')
    live.signal('SIGKILL')
    await gone(pids.values(), BOUND_MS)
    expect(hooks()).toEqual(['/n0/n0', '/n0'])
  })

  it('P36 a whole group that is suspended and resumed, guard and all, goes on: nobody takes that for a death', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess<number, number>(self.args[0]!, { stopGrace: 300 })
      await println(await child.call(1))
      for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
        process.kill(-child.pid!, signal)
        await new Promise(resolve => setTimeout(resolve, signal === 'SIGSTOP' ? 100 : 1200))
      }
      await println(await child.call(2).catch(error => error.data))`)
    expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([2, 4])
  })

  it('P39 a grandchild that holds the pipes open does not keep `exited` waiting', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        const call = child.call(1).catch(error => error.code)
        await println(await child.stdout.recv())
        const started = performance.now()
        await println([await child.exited, await call])
        await println(performance.now() - started < 1500)`,
      'child.ts': ts`
        import { spawn } from 'node:child_process'
        import { println, serve } from 'wat-vm'
        await serve(async () => {
          // A session of its own, so that a kill of the group does not reach it.
          const holder = spawn('sleep', ['20'], { stdio: ['inherit', 'inherit', 'inherit', 3, 4], detached: true })
          await println(holder.pid)
          setTimeout(() => process.exit(6), 100)
          return new Promise(() => {})
        })`,
    })
    const [pid, exit, quick] = await lab.facts(program)
    expect(exit).toEqual([{ code: 6 }, 'offline'])
    expect(quick).toBe(true)
    if (alive(pid)) process.kill(pid, 'SIGKILL')
  })

  it('P36 what a program itself puts into another session is its own affair, and holds nobody up', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { spawn } from 'node:child_process'
      import { println } from 'wat-vm'
      const daemon = spawn('sleep', ['20'], { stdio: 'ignore', detached: true })
      daemon.unref()
      await println(daemon.pid)`)
    const [pid] = await lab.facts(program)
    expect(alive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  it('P25 every child leads a process group and a session of its own', async ({ lab }) => {
    const { live, pids } = await grow(lab, 3, 1, '-')
    const root = info(live.pid)!
    for (const [address, pid] of pids) {
      if (address === '/') continue
      expect(info(pid), address).toMatchObject({ pgid: pid, sid: pid })
      expect(info(pid)!.pgid).not.toBe(root.pgid)
    }
    expect((await live.end()).code).toBe(0)
  })

  it('P36 the end of a session (SIGHUP to the root) takes the tree along', async ({ lab }) => {
    const { live, pids, hooks } = await grow(lab, 3, 1, '-')
    live.signal('SIGHUP')
    expect(await live.ended).toMatchObject({ signal: 'SIGHUP', stderr: '' })
    expect([...pids.values()].filter(alive)).toEqual([])
    expect(hooks()).toEqual(['/n0/n0', '/n0', '/'])
  })
})
