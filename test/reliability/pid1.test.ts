import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { fixture } from '../support/machine.ts'
import { alive, childrenOf, descendants, gone, until } from '../support/proc.ts'

const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child']
const allowed = spawnSync('unshare', [...unshare, 'true']).status === 0
const namespaceIt = it.skipIf(!allowed)

/** A server that starts whatever it is asked for; a middle one starts a leaf of its own. */
const tree = ts`
  import { appendFileSync } from 'node:fs'
  import { println, self, serve, spawnProcess } from 'wat-vm'
  const [role, double, journal] = self.args as [string, string, string]
  self.onStop(() => appendFileSync(journal, role + '\n'))
  const middle = () => spawnProcess<any, any>(import.meta.filename, { name: 'middle', args: ['middle', double, journal], stopGrace: 600 })
  const leaf = role === 'middle' ? spawnProcess<number, number>(double) : undefined
  const standing = role === 'root' ? middle() : undefined
  await serve(async (order: string) => {
    if (leaf) return leaf.call(21)
    if (order === 'ask') return standing!.call(order)
    if (order === 'cycle') {
      const child = spawnProcess<number, number>(double)
      const reply = await child.call(1)
      await child.stop()
      return reply
    }
    if (order === 'orphan') {
      // A process of the system that outlives whoever started it: PID 1 inherits it.
      const { spawnSync } = await import('node:child_process')
      return spawnSync('sh', ['-c', '(sleep 0.3 &) ; (sleep 0.1 &)']).status
    }
    const victim = middle()
    const reply = await victim.call(order)
    process.kill(victim.pid!, 'SIGKILL')
    return [reply, (await victim.exited).signal]
  })`

async function start(lab: Lab): Promise<{ live: Live; init: number; journal: string }> {
  const program = lab.program({ 'tree.ts': tree })
  const journal = `${program}.journal`
  const live = lab.command('unshare', [...unshare, 'wat', program, 'root', fixture('double.ts'), journal])
  live.write('"ask"\n')
  expect(await live.stdout.line()).toBe('42')
  const [init] = childrenOf(live.pid)
  return { live, init: init!.pid, journal }
}

describe('as the first process of a PID namespace (needs `unshare` and the right to use it)', () => {
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    namespaceIt(`P37 ${signal} stops the tree, hooks and all, and the exit is ${code}`, async ({ lab }) => {
      const { live, init, journal } = await start(lab)
      const below = descendants(init).map(({ pid }) => pid)
      expect(below.length).toBeGreaterThanOrEqual(3)
      process.kill(init, signal)
      const { stderr, ...ended } = await live.ended
      expect({ ...ended, stderr }).toEqual({ code, signal: null, stdout: '42\n', stderr: '' })
      expect(below.filter(alive)).toEqual([])
      expect((await lab.sh('cat "$1"', { args: [journal] })).stdout).toBe('middle\nroot\n')
    })
  }

  namespaceIt('P37 SIGINT twice forces it, far inside the grace', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess<any, any>(self.args[0]!)
      await child.stdin.send(1)
      self.signal.addEventListener('abort', () => void println('stopping'))
      await println(await child.stdout.recv())
      await child.stdout.recv()
      setInterval(() => {}, 1000)`)
    const env = { WAT_STOP_GRACE_MS: '20000' }
    const live = lab.command('unshare', [...unshare, 'wat', program, fixture('stuck.ts')], { env })
    await live.stdout.match(/stuck/)
    const [init] = childrenOf(live.pid)
    process.kill(init!.pid, 'SIGINT')
    await live.stdout.match(/stopping/)
    const started = performance.now()
    process.kill(init!.pid, 'SIGINT')
    expect(await live.ended).toMatchObject({ code: 130 })
    expect(performance.now() - started).toBeLessThan(4000)
  })

  namespaceIt('P20 its exit code is that of the program, also that of a panic', async ({ lab }) => {
    const end = (source: string, input = '') =>
      lab.command('unshare', [...unshare, 'wat', lab.program(source)]).end(input)
    expect(await end('process.exit(7)')).toMatchObject({ code: 7, stderr: '' })
    expect(await end(`setTimeout(() => { throw new Error('boom') }, 1)`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^#wat\/panic /),
    })
    const echo = `import { serve } from 'wat-vm'; await serve(n => n)`
    expect(await end(echo, '1 2')).toMatchObject({ code: 0, stdout: '1\n2\n' })
    expect(await end(`process.kill(process.pid, 'SIGKILL')`)).toMatchObject({ code: 137 })
  })

  namespaceIt(
    'P38 no zombies after 20 spawn/exit cycles, 5 kill -9 in the middle and orphans',
    async ({ lab }) => {
      const { live, init } = await start(lab)
      const resting = () => descendants(init).length
      const before = resting()
      live.write('"cycle"\n'.repeat(20))
      for (let n = 0; n < 20; n++) expect(await live.stdout.line()).toBe('2')
      live.write('"kill"\n'.repeat(5) + '"orphan"\n'.repeat(5))
      for (let n = 0; n < 5; n++) expect(await live.stdout.line()).toBe('[42 "SIGKILL"]')
      for (let n = 0; n < 5; n++) expect(await live.stdout.line()).toBe('0')
      // The leaves of those that were killed die by themselves, and somebody has to reap them.
      await until(
        () => resting() <= before,
        4000,
        () =>
          descendants(init)
            .map(({ pid, state, command }) => `${pid} ${state} ${command}`)
            .join('\n'),
      )
      expect(descendants(init).filter(({ state }) => state === 'Z')).toEqual([])
      live.write('"ask"\n')
      expect(await live.stdout.line()).toBe('42')
      expect(await live.end()).toMatchObject({ code: 0, stderr: '' })
    },
  )

  namespaceIt(
    'P36 a child in a namespace of its own, which cannot see its parent, raises no false alarm',
    async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const node = process.execPath
        process.execPath = self.args[0]!
        const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stopGrace: 1000, env: { REAL_NODE: node } })
        await println([await child.call('who'), child.pid])
        await new Promise(resolve => setTimeout(resolve, 1500))
        await println(await child.call('who'))
        await child.call('hang')`,
        'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(body => (body === 'who' ? [process.pid, process.ppid] : new Promise(() => {})))`,
        'inside.sh': `#!/bin/sh\nexec unshare --pid --fork --mount-proc "$REAL_NODE" "$@"\n`,
      })
      const inside = path.join(path.dirname(program), 'inside.sh')
      chmodSync(inside, 0o755)
      const live = lab.start(program, { args: [inside] })
      const [who, outer] = (await live.stdout.value<any>())!
      expect(who).toEqual([1, 0]) // PID 1, and a parent it has no number for
      expect(await live.stdout.value()).toEqual([1, 0])
      const below = [outer, ...descendants(outer).map(({ pid }) => pid)]
      expect(below.length).toBeGreaterThanOrEqual(2)
      live.signal('SIGKILL')
      // But the death of its parent is one: the lifeline needs no numbers.
      await gone(below, 1000 + 1000 + 1500)
      expect((await live.ended).stderr).not.toContain('the parent is gone')
    },
  )
})
