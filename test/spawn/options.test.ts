import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('options of spawnProcess', () => {
  it('P25 name, args, env, cwd and execArgv reach the child', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        import { pathToFileURL } from 'node:url'
        process.env.TAKEN_AWAY = 'x'
        process.env.INHERITED = 'y'
        const url = new URL('./child.ts', import.meta.url)
        for (const cwd of ['/', pathToFileURL('/')]) {
          const child = spawnProcess(url, {
            name: 'worker-1',
            args: ['a', '', 'b c', '--help', '-e', '--', '$HOME', '"\'', 'é\n'],
            env: { MORE: '1', TAKEN_AWAY: undefined },
            cwd,
            execArgv: ['--stack-size=2000', '--expose-gc'],
          })
          await println([child.name, child.address, await child.call(null)])
          await child.stop()
        }`,
      'child.ts': ts`
        import { self, serve } from 'wat-vm'
        const { MORE, TAKEN_AWAY, INHERITED } = process.env
        await serve(() => [
          self.name, self.address, self.args, process.cwd(),
          MORE, TAKEN_AWAY ?? 'gone', INHERITED, typeof globalThis.gc, process.execArgv.includes('--expose-gc'),
        ])`,
    })
    const seen = [
      'worker-1',
      '/worker-1',
      [
        'worker-1',
        '/worker-1',
        ['a', '', 'b c', '--help', '-e', '--', '$HOME', `"'`, 'é\n'],
        '/',
        '1',
        'gone',
        'y',
        'function',
        true,
      ],
    ]
    expect(await lab.facts(program)).toEqual([seen, seen])
  })

  it('P31 options that make no sense are `denied` at once, and start nothing', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess, WatError } from 'wat-vm'
      const bad: any[] = [
        { stopGrace: -1 }, { stopGrace: NaN }, { stopGrace: '5' }, { maxFrame: 0 }, { maxFrame: 'x' },
        { maxInFlight: 0 }, { maxInFlight: NaN }, { name: 'a b' }, { name: 'a/b' }, { name: '' }, { name: 'a\nb' }, { stderr: 'nonsense' },
        { args: 'text' }, { execArgv: 'text' },
      ]
      for (const options of bad) {
        try {
          spawnProcess(self.args[0], options)
          await println(['accepted', JSON.stringify(options)])
        } catch (error: any) {
          if (!(error instanceof WatError) || error.code !== 'denied') await println([String(error), JSON.stringify(options)])
        }
      }
      for (const program of [undefined, 5, {}, new URL('https://example.com/x.ts')] as any[]) {
        try {
          const exit = await spawnProcess(program).exited
          await println(['exit', exit.panic !== undefined])
        } catch (error: any) { await println(error.code ?? error.name) }
      }
      await println('end')`)
    const facts = await lab.facts(program, { args: [fixture('double.ts')] })
    expect(facts.filter(fact => Array.isArray(fact) && fact[0] !== 'exit')).toEqual([])
    expect(facts.at(-1)).toBe('end')
    expect(facts).toHaveLength(5)
  })

  it('P25 odd file names make a name of their own', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        for (const file of ['a b.ts', 'ü;x".ts', '.hidden.ts', 'two.dots.ts']) {
          const child = spawnProcess(import.meta.dirname + '/' + file)
          await println([child.name, await child.call(1)])
          await child.stop()
        }`,
      ...Object.fromEntries(
        ['a b.ts', 'ü;x".ts', '.hidden.ts', 'two.dots.ts'].map(name => [
          name,
          ts`import { self, serve } from 'wat-vm'; await serve(() => self.name)`,
        ]),
      ),
    })
    const facts = await lab.facts(program)
    for (const [name, own] of facts) {
      expect(name).toMatch(/^[^\s/;"\\]+$/)
      expect(own).toBe(name)
    }
  })

  it('P35 stopGrace 0 stops at once', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0], { stopGrace: 0 })
      await child.ready
      const started = performance.now()
      const exit = await child.stop()
      await println([Object.keys(exit).length, performance.now() - started < 1500])`)
    expect(await lab.facts(program, { args: [fixture('forever.ts')] })).toEqual([[1, true]])
  })
})
