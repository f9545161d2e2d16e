import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('stop at a bad moment', () => {
  it('P33 in every phase of the boot: it settles within the grace, twice with the same exit', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const until = async (done: () => boolean) => { while (!done()) await new Promise(resolve => setTimeout(resolve, 1)) }
        const phases: Record<string, (child: any) => unknown> = {
          'before the launch': () => {},
          'after the launch': child => until(() => child.pid !== undefined),
          '20 ms later': child => until(() => child.pid !== undefined).then(() => new Promise(resolve => setTimeout(resolve, 20))),
          '60 ms later': child => until(() => child.pid !== undefined).then(() => new Promise(resolve => setTimeout(resolve, 60))),
          'at ready': child => child.ready,
        }
        for (const program of self.args)
          for (const [phase, wait] of Object.entries(phases)) {
            const child = spawnProcess(program, { stopGrace: 400 })
            await Promise.race([wait(child), new Promise(resolve => setTimeout(resolve, 400))])
            const ready = child.ready.then(() => 'ready', error => error.code)
            const started = performance.now()
            const [one, two] = await Promise.all([child.stop(), child.stop()])
            await println([phase, one === two, Object.keys(one).length === 1, performance.now() - started < 1400, await ready])
          }`,
      'idle.ts': ts`import { serve } from 'wat-vm'; await serve(n => n)`,
      'waits.ts': ts`setInterval(() => {}, 1000); await new Promise(() => {})`,
      'stuck.ts': ts`for (;;) {}`,
    })
    const [idle, waits, stuck] = ['idle.ts', 'waits.ts', 'stuck.ts'].map(name =>
      path.join(path.dirname(program), name),
    )
    const facts = await lab.facts(program, { args: [idle!, waits!, stuck!] })
    expect(facts).toHaveLength(15)
    for (const [n, [phase, same, one, inTime, ready]] of facts.entries()) {
      expect([n, phase, same, one, inTime]).toEqual([n, phase, true, true, true])
      expect(['ready', 'offline']).toContain(ready)
    }
    expect(facts[4]![4]).toBe('ready')
    await lab.noSurvivors(1000)
  })

  it('P33 behind a call of the same tick: what was asked before the stop is answered', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 2000 })
        await child.ready
        const before = child.call('before')
        const exit = child.stop()
        const behind = child.call('behind').catch(error => error.code)
        await println([await before, await behind, await exit])`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(body => new Promise(resolve => setTimeout(resolve, 100, body)))`,
    })
    expect(await lab.facts(program)).toEqual([['before', 'offline', { code: 0 }]])
  })

  it('P33 from a handler: a parent stops its child in the middle of a request, and goes on serving', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url))
        await println(await middle.call('stop'))
        await println(await middle.call('again'))
        await println(await middle.stop())`,
      'middle.ts': ts`
        import { self, serve, spawnProcess } from 'wat-vm'
        const start = () => spawnProcess<any, any>(self.args[0] ?? new URL('./leaf.ts', import.meta.url))
        let leaf = start()
        await serve(async body => {
          if (body === 'again') return (leaf = start()).call('hello')
          const pending = leaf.call('wait').catch(error => error.code)
          await leaf.stdout.recv()
          return [await leaf.stop(), await pending]
        })`,
      'leaf.ts': ts`
        import { println, serve } from 'wat-vm'
        await serve((body, { signal }) => {
          if (body !== 'wait') return body
          void println('waiting')
          return new Promise(resolve => setTimeout(resolve, 200, 'done'))
        })`,
    })
    expect(await lab.facts(program)).toEqual([[{ code: 0 }, 'done'], 'hello', { code: 0 }])
  })

  it('P33 P34 at the request of the child itself: its handler asks, finishes, and the parent sees it go', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stopGrace: 1500 })
        const finishing = child.call('finish').catch(error => error.code)
        const hanging = child.call('hang').catch(error => [error.code, error.data?.exit])
        await child.stdout.recv()
        const started = performance.now()
        const exit = await child.stop()
        await println([exit, await finishing, await hanging, performance.now() - started < 2500])`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        await serve(async body => {
          if (body === 'hang') return new Promise(() => {})
          await println('stop me')
          if (!self.signal.aborted) await new Promise(resolve => self.signal.addEventListener('abort', resolve))
          return 'finished'
        })`,
    })
    expect(await lab.facts(program)).toEqual([[{ code: 0 }, 'finished', ['offline', { code: 0 }], true]])
  })

  it('P37 from the bottom: a handler of a leaf ends the root, and the whole tree ends in order', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { appendFileSync } from 'node:fs'
      import { println, self, serve, spawnProcess } from 'wat-vm'
      const [depth, journal, root] = [Number(self.args[0]), self.args[1]!, Number(self.args[2] ?? process.pid)]
      self.onStop(() => appendFileSync(journal, depth + '\n'))
      const next = depth < 2 && spawnProcess(import.meta.filename, { args: [String(depth + 1), journal, String(root)] })
      await serve(async body => {
        if (next) return next.call(body)
        process.kill(root, 'SIGTERM')
        if (!self.signal.aborted) await new Promise(resolve => self.signal.addEventListener('abort', resolve))
        return 'told'
      })`)
    const journal = path.join(path.dirname(program), 'journal')
    const live = lab.start(program, { args: ['0', journal] })
    live.write('1\n')
    const started = performance.now()
    const { signal, stderr } = await live.ended
    expect({ signal, stderr }).toEqual({ signal: 'SIGTERM', stderr: expect.not.stringContaining('panic') })
    expect(performance.now() - started).toBeLessThan(6000)
    expect(readFileSync(journal, 'utf8')).toBe('2\n1\n0\n')
    await lab.noSurvivors(500)
  })

  for (const [kind, exit, hook] of [
    ['idle', { code: 0 }, ['hook']],
    ['stuck', { signal: 'SIGKILL' }, []],
  ] as const) {
    it(`P33 P13 while sends wait for a child that never reads, and is ${kind}: the ladder works, and the sends reject`, async ({
      lab,
    }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { println, self, spawnProcess } from 'wat-vm'
          const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stopGrace: 1000, args: self.args })
          await child.stdout.recv()
          const sends = Array.from({ length: 30 }, () => child.stdin.send('x'.repeat(1_000_000)).then(() => 'sent', error => error.code))
          const blocked = child.stdin.send('the last').then(() => 'sent', error => error.code)
          await new Promise(resolve => setTimeout(resolve, 300))
          const early = await Promise.race([blocked, 'waits'])
          const started = performance.now()
          const exit = await child.stop()
          await println([early, exit, performance.now() - started, await blocked, (await Promise.all(sends)).at(-1)])`,
        'child.ts': ts`
          import { appendFileSync } from 'node:fs'
          import { println, self } from 'wat-vm'
          self.onStop(() => appendFileSync(self.args[1]!, 'hook\n'))
          appendFileSync(self.args[1]!, '')
          await println('on')
          if (self.args[0] === 'stuck') for (;;) {}
          setInterval(() => {}, 1000)`,
      })
      const journal = path.join(path.dirname(program), 'journal')
      const [[early, seen, ms, blocked, last]] = await lab.facts(program, { args: [kind, journal] })
      expect([early, seen, blocked, last]).toEqual(['waits', exit, 'offline', 'offline'])
      if (kind === 'stuck') expect(ms).toBeGreaterThan(1300)
      expect(ms).toBeLessThan(kind === 'idle' ? 1000 : 3000)
      expect(readFileSync(journal, 'utf8').split('\n').filter(Boolean)).toEqual(hook)
    })
  }

  it('P33 during a stop of everything: twenty at once end in the time of one', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const children = Array.from({ length: 20 }, (_, n) => spawnProcess(self.args[n % 2]!, { stopGrace: 1500 }))
      await Promise.all(children.map(child => child.ready))
      const started = performance.now()
      const exits = await Promise.all(children.map(child => child.stop()))
      await println([exits.map(exit => exit.code ?? exit.signal), performance.now() - started])`)
    const args = [fixture('forever.ts'), fixture('ignores-stop.ts')]
    const [[exits, ms]] = await lab.facts(program, { args })
    expect(exits).toEqual(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 0 : 'SIGKILL')))
    expect(ms).toBeLessThan(1500 + 1000 + 1500) // the last for twenty deaths on a busy machine
  })
})
