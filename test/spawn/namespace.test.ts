import { spawnSync } from 'node:child_process'
import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { childrenOf, descendants, gone } from '../support/proc.ts'

const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child']
const allowed = spawnSync('unshare', [...unshare, 'true']).status === 0
const namespaceIt = it.skipIf(!allowed)

describe('in a PID namespace (needs `unshare` and the right to use it)', () => {
  namespaceIt('P37 S48 wat as PID 1 stops on SIGTERM, hooks and all', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, serve, spawnProcess } from 'wat-vm'
      const child = spawnProcess<number, number>(self.args[0]!)
      self.onStop(() => println('hook'))
      await println(await child.call(21))
      await serve(n => n)`)
    const live = lab.command('unshare', [...unshare, 'wat', program, fixture('double.ts')])
    expect(await live.stdout.line()).toBe('42')
    const [init] = childrenOf(live.pid)
    process.kill(init!.pid, 'SIGTERM')
    expect(await live.ended).toMatchObject({ code: 143, stdout: '42\n"hook"\n', stderr: '' })
  })

  namespaceIt('P38 S48 no zombies pile up below wat as PID 1', async ({ lab }) => {
    const program = lab.program(ts`
      import { execFileSync } from 'node:child_process'
      import { println, self, spawnProcess } from 'wat-vm'
      for (let n = 0; n < 5; n++) {
        const child = spawnProcess<number, number>(self.args[0]!, { stopGrace: 1000 })
        await child.call(n)
        n % 2 ? await child.kill() : await child.stop()
      }
      const states = () => execFileSync('sh', ['-c', 'cat /proc/[0-9]*/stat 2>/dev/null; true'], { encoding: 'utf8' })
        .trim().split('\n').map(line => line.slice(line.lastIndexOf(')') + 2, line.lastIndexOf(')') + 3))
      let zombies = states().filter(state => state === 'Z').length
      for (let n = 0; n < 20 && zombies > 0; n++) {
        await new Promise(resolve => setTimeout(resolve, 100))
        zombies = states().filter(state => state === 'Z').length
      }
      await println(zombies)`)
    const live = lab.command('unshare', [...unshare, 'wat', program, fixture('double.ts')])
    expect(await live.end()).toMatchObject({ code: 0, stdout: '0\n', stderr: '' })
  })

  namespaceIt(
    'P36 S49 a parent in another PID namespace is no false alarm, and its death is seen',
    async ({ lab }) => {
      const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess<number, number>(self.args[0]!, { stopGrace: 1000 })
      await println(await child.call(21))
      await new Promise(resolve => setTimeout(resolve, 1500))
      await println(await child.call(4))
      await child.stdout.recv()`)
      const live = lab.command('unshare', [
        ...unshare,
        'sh',
        '-c',
        'wat "$1" "$2"; true',
        'sh',
        program,
        fixture('double.ts'),
      ])
      expect(await live.stdout.line()).toBe('42')
      expect(await live.stdout.line()).toBe('8')
      const below = descendants(live.pid).map(({ pid }) => pid)
      expect(below.length).toBeGreaterThanOrEqual(3)
      const root = descendants(live.pid).find(
        ({ command }) => command.includes(program) && command.startsWith('node'),
      )
      process.kill(root!.pid, 'SIGKILL')
      await gone(below, 3500)
      await live.ended
    },
  )
})
