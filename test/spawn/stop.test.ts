import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { alive, until } from '../support/proc.ts'

describe('stop', () => {
  it('P33 a child that does as it is asked sees the frame and the end of input, and no signal', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 4000 })
        await child.ready
        const exits = await Promise.all([child.stop(), child.stop(), child.exited])
        await println(exits.map(exit => exit.code))
        for await (const value of child.stdout) await println(value)`,
      'child.ts': ts`
        import { println, readln, self } from 'wat-vm'
        process.on('SIGTERM', () => println('SIGTERM'))
        self.onStop(() => println('hook'))
        await println([(await readln()) ?? 'end', self.signal.aborted, self.signal.reason.code])`,
    })
    expect(await lab.facts(program)).toEqual([[0, 0, 0], ['end', true, 'offline'], 'hook'])
  })

  it('P33 one that is deaf to the frame gets SIGTERM, one that is deaf to that gets SIGKILL, in this order', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const raw = spawnProcess(new URL('./terminated.ts', import.meta.url), { stopGrace: 1000 })
        const deaf = spawnProcess(self.args[0], { stopGrace: 1000 })
        await Promise.all([raw.ready, deaf.ready])
        const started = performance.now()
        const took = () => Math.round(performance.now() - started)
        const [one, two] = await Promise.all([
          raw.stop().then(exit => [exit, took()]),
          deaf.stop().then(exit => [exit, took()]),
        ])
        await println({ one, two })`,
      'terminated.ts': ts`
        import { println } from 'wat-vm'
        import { spawnSync } from 'node:child_process'
        await println('on')
        process.removeAllListeners('SIGTERM')
        for (;;) {}`,
    })
    const [{ one, two }] = await lab.facts(program, { args: [fixture('ignores-stop.ts')] })
    expect(one[0]).toEqual({ signal: 'SIGTERM' })
    expect(one[1]).toBeGreaterThan(500)
    expect(two[0]).toEqual({ signal: 'SIGKILL' })
    expect(two[1]).toBeGreaterThan(1000)
    expect(two[1]).toBeLessThan(2000 + 1000)
  })

  it('P34 a stop finishes what is in flight, refuses what is new, and writes everything', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        const slow = told(child.call('slow'))
        await child.stdout.recv()
        const exit = child.stop()
        const late = told(child.call('late'))
        await println([await slow, (await late).code, await exit])
        let bytes = 0
        for await (const value of child.stdout) bytes += value.length
        await println(bytes)`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        import { setTimeout } from 'node:timers/promises'
        self.onStop(() => { for (let n = 0; n < 1000; n++) void println('x'.repeat(1000)) })
        await serve(async body => {
          void println('begun')
          await setTimeout(400)
          return body
        })`,
    })
    expect(await lab.facts(program)).toEqual([[{ value: 'slow' }, 'offline', { code: 0 }], 1_000_000])
  })

  it('P33 a call that never settles does not outlast the grace, and rejects with the exit', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 800 })
        const never = told(child.call(1))
        await child.stdout.recv()
        const started = performance.now()
        const exit = await child.stop()
        const call = await never
        await println([exit, performance.now() - started < 1800, call.code, call.data.exit])`,
      'child.ts': ts`
        import { println, serve } from 'wat-vm'
        await serve(() => (void println('begun'), new Promise(() => {})))`,
    })
    const [[exit, inTime, code, told_]] = await lab.facts(program)
    expect([inTime, code]).toEqual([true, 'offline'])
    expect(told_).toEqual(exit)
  })

  it('P33 stop, kill and disposal right after the spawn leave no orphan', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const exits: any[] = []
      for (let n = 0; n < 5; n++) {
        exits.push(spawnProcess(self.args[0]).stop())
        exits.push(spawnProcess(self.args[0]).kill())
        const later = spawnProcess(self.args[0])
        exits.push(new Promise(resolve => setTimeout(resolve, n * 10)).then(() => later.stop()))
        exits.push(spawnProcess(self.args[0])[Symbol.asyncDispose]().then(() => ({ code: 0 })))
      }
      for (const exit of await Promise.all(exits)) if (exit.code === undefined && exit.signal === undefined) await println(exit)
      await println('done')`)
    const outcome = await lab.run(program, { args: [fixture('forever.ts')] })
    expect(outcome).toMatchObject({ code: 0, stdout: '"done"\n' })
    await lab.noSurvivors(1500)
  })

  it('P33 stop and kill of one that is gone settle with the same exit, and signal says false', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0])
      const exit = await child.stop()
      await println([(await child.stop()) === exit, (await child.kill()) === exit, (await child.exited) === exit])
      await println([child.signal('SIGKILL'), typeof child.pid, child.stdin.trySend(1)])`)
    expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([
      [true, true, true],
      [false, 'number', 'closed'],
    ])
  })

  // Node 22 has no `await using`.
  it.skipIf(Number.parseInt(process.versions.node) < 24)(
    'P33 `await using` stops the child at the end of the block, also when it throws',
    async ({ lab }) => {
      const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      let outer: any
      try {
        await using child = spawnProcess<number, number>(self.args[0])
        outer = child
        await println(await child.call(21))
        throw new Error('out of here')
      } catch (error: any) {
        await println([error.message, await outer.exited])
      }`)
      expect(await lab.facts(program, { args: [fixture('double.ts')] })).toEqual([
        42,
        ['out of here', { code: 0 }],
      ])
    },
  )

  it('P33 kill takes the whole subtree at once', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url), { args: self.args })
        const below = await middle.call('pid')
        const started = performance.now()
        await println([middle.pid, below])
        await println([await middle.kill(), performance.now() - started < 3000])
        await middle.exited`,
      'middle.ts': ts`
        import { self, serve, spawnProcess } from 'wat-vm'
        const leaf = spawnProcess(self.args[0])
        const [, pid] = (await leaf.stdin.send(1), await leaf.stdout.recv())
        await serve(() => pid)`,
    })
    const [pids, killed] = await lab.facts(program, { args: [fixture('stuck.ts')] })
    expect(killed).toEqual([{ signal: 'SIGKILL' }, true])
    // A process that was killed takes some ms to give back its memory.
    await until(
      () => !pids.some(alive),
      500,
      () => `alive: ${pids.filter(alive)}`,
    )
  })

  it('P35 with a stuck leaf at depth 4 the tree is gone in time: only the leaf was killed, the hooks above ran', async ({
    lab,
  }) => {
    const program = lab.program({
      'level.ts': ts`
        import { appendFileSync } from 'node:fs'
        import { println, readln, self, serve, spawnProcess } from 'wat-vm'
        const [depth, stuck, journal] = [Number(self.args[0]), self.args[1]!, self.args[2]!]
        const say = (event: unknown) => appendFileSync(journal, JSON.stringify([self.address, event]) + '\n')
        self.onStop(() => say('hook'))
        const options = depth === 1 ? { stopGrace: 3000 } : {}
        const next = depth === 4
          ? spawnProcess<any, any>(stuck)
          : spawnProcess<any, any>(import.meta.filename, { ...options, args: [String(depth + 1), stuck, journal] })
        void next.exited.then(({ code, signal }) => say({ code, signal }))
        if (depth === 4) await next.stdin.send(1)
        await println(await next.stdout.recv())
        if (depth > 1) await serve(n => n)
        else {
          await readln()
          const started = performance.now()
          const exit = await next.stop()
          await println({ exit, took: performance.now() - started })
        }`,
    })
    const journal = path.join(path.dirname(program), 'journal')
    const live = lab.start(program, { args: ['1', fixture('stuck.ts'), journal] })
    expect(await live.stdout.line()).toMatch(/^\["stuck"/)
    const outcome = await live.end()
    expect(outcome.code, outcome.stderr).toBe(0)
    const { exit, took } = parseAll(outcome.stdout)[1] as any
    expect(exit).toEqual({ code: 0 })
    expect(took).toBeLessThan(4000)
    await lab.noSurvivors(1000)
    const events = readFileSync(journal, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const at of ['/level', '/level/level', '/level/level/level'])
      expect(events).toContainEqual([at, 'hook'])
    expect(events).toContainEqual(['/level/level/level', { signal: 'SIGKILL' }])
    expect(events).toContainEqual(['/level/level', { code: 0 }])
    expect(events).toContainEqual(['/level', { code: 0 }])
    expect(events).toContainEqual(['/', { code: 0 }])
  })

  it('P35 a SIGTERM to the root of such a tree is one deadline as well', async ({ lab }) => {
    const program = lab.program({
      'level.ts': ts`
        import { appendFileSync } from 'node:fs'
        import { println, self, serve, spawnProcess } from 'wat-vm'
        const [depth, stuck, journal] = [Number(self.args[0]), self.args[1]!, self.args[2]!]
        self.onStop(() => appendFileSync(journal, self.address + '\n'))
        const next = depth === 3
          ? spawnProcess<any, any>(stuck)
          : spawnProcess<any, any>(import.meta.filename, { args: [String(depth + 1), stuck, journal] })
        if (depth === 3) await next.stdin.send(1)
        await println(await next.stdout.recv())
        await serve(n => n)`,
    })
    const journal = path.join(path.dirname(program), 'journal')
    const env = { WAT_STOP_GRACE_MS: '3000' }
    const live = lab.start(program, { args: ['1', fixture('stuck.ts'), journal], env })
    expect(await live.stdout.line()).toMatch(/^\["stuck"/)
    const started = performance.now()
    live.signal('SIGTERM')
    expect(await live.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' })
    expect(performance.now() - started).toBeLessThan(4000)
    expect(readFileSync(journal, 'utf8').trim().split('\n')).toEqual(['/level/level', '/level', '/'])
    await lab.noSurvivors(1000)
  })

  it('P34 children stop before the hooks of their parent run', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        let gone = false
        void child.exited.then(() => (gone = true))
        await child.ready
        self.onStop(async () => { await null; await println(['child is gone', gone]) })`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve(n => n)`,
    })
    expect(await lab.facts(program)).toEqual([['child is gone', true]])
  })

  it('P34 a hook that never ends is cut off at the deadline', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 600 })
        await child.ready
        const started = performance.now()
        const exit = await child.stop()
        await println([exit, performance.now() - started < 1600])`,
      'child.ts': ts`
        import { self, serve } from 'wat-vm'
        self.onStop(() => new Promise(() => {}))
        await serve(n => n)`,
    })
    const [[exit, inTime]] = await lab.facts(program)
    expect(inTime).toBe(true)
    expect([0, undefined]).toContain(exit.code)
  })

  it('P33 a subtree that kills its own group takes all of it along', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 500 })
        await println(await child.stdout.recv())
        await println(await child.exited)`,
      'child.ts': ts`
        import { spawn } from 'node:child_process'
        import { println, spawnProcess } from 'wat-vm'
        const plain = spawn('sleep', ['1000'])
        const grandchild = spawnProcess(new URL('./leaf.ts', import.meta.url))
        await grandchild.ready
        await println([plain.pid, grandchild.pid])
        process.kill(-process.pid, 'SIGKILL')`,
      'leaf.ts': ts`import { serve } from 'wat-vm'; await serve(n => n)`,
    })
    const [pids, exit] = await lab.facts(program)
    expect(exit).toEqual({ signal: 'SIGKILL' })
    await lab.noSurvivors(2500)
    expect(pids.filter(alive)).toEqual([])
  })

  it('P33 a child that ignores SIGTERM is killed though its parent exits at once', async ({ lab }) => {
    const program = lab.program(ts`
      import { self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0], { stopGrace: 800 })
      await child.ready
      void child.stop()
      process.exit(0)`)
    const outcome = await lab.run(program, { args: [fixture('ignores-stop.ts')] })
    expect(outcome.code).toBe(0)
    await lab.noSurvivors(1800 + 1500)
  })

  it('P33 what a child leaves running in its own group dies with it', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(await child.call(1))`,
      'child.ts': ts`
        import { spawn } from 'node:child_process'
        import { serve } from 'wat-vm'
        await serve(() => spawn('sleep', ['1000'], { stdio: 'ignore' }).pid)`,
    })
    const [pid] = await lab.facts(program)
    await lab.noSurvivors(1500)
    expect(alive(pid)).toBe(false)
  })

  it('P33 signal reaches the process and tells whether there was one', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(child.signal('SIGUSR2'))
        await child.ready
        await println(child.signal('SIGUSR2'))
        await println(await child.stdout.recv())
        await child.stop()
        await println(child.signal('SIGUSR2'))`,
      'child.ts': ts`
        import { println, serve } from 'wat-vm'
        process.on('SIGUSR2', () => println('usr2'))
        await serve(n => n)`,
    })
    expect(await lab.facts(program)).toEqual([false, true, 'usr2', false])
  })

  it('P37 a signal in the first milliseconds of a child, before its boot, ends it and is not lost', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const lost = []
      for (let n = 0; n < 60; n++) {
        const signal = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const)[n % 3]!
        const child = spawnProcess(self.args[0]!, { stopGrace: 400 })
        while (child.pid === undefined) await new Promise(setImmediate)
        for (const born = performance.now(); performance.now() < born + n / 12; );
        child.signal(signal)
        const late = new Promise(resolve => setTimeout(resolve, 2000, 'late').unref())
        if ((await Promise.race([child.exited, late])) !== 'late') continue
        lost.push([signal, n / 12])
        await child.kill()
      }
      await println(lost)`)
    expect(await lab.facts(program, { args: [fixture('forever.ts')] })).toEqual([[]])
  })

  it('P34 records of a stopping tree arrive at the root, hooks and all', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { args: ['1'] })
        await child.ready`,
      'child.ts': ts`
        import { log, self, serve, spawnProcess } from 'wat-vm'
        if (self.args[0] === '1') await spawnProcess(import.meta.filename, { args: ['2'] }).ready
        self.onStop(() => log.info('hook'))
        await serve(n => n)`,
    })
    const { stderr, code } = await lab.run(program)
    expect(code).toBe(0)
    const records = parseAll(stderr) as Tagged<{ address: string }>[]
    expect(records.map(r => r.value.address)).toEqual(['/child/child', '/child'])
    expect(existsSync(program)).toBe(true)
  })
})
