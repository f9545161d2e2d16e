import { spawnSync } from 'node:child_process'
import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { childrenOf, descendants, gone } from '../support/proc.ts'

const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child']
const allowed = spawnSync('unshare', [...unshare, 'true']).status === 0
const namespaceIt = it.skipIf(!allowed)

/** Where the kernel lets a process say which number the next one gets. */
const chooses = spawnSync('unshare', [...unshare, 'sh', '-c', 'echo 500 >/proc/sys/kernel/ns_last_pid'])
const reuseIt = it.skipIf(chooses.status !== 0)

describe('in a PID namespace (needs `unshare` and the right to use it)', () => {
  namespaceIt('P37 wat as PID 1 stops on SIGTERM, hooks and all', async ({ lab }) => {
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

  namespaceIt('P38 no zombies pile up below wat as PID 1', async ({ lab }) => {
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
    'P36 a parent in another PID namespace is no false alarm, and its death is seen',
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
        ({ command }) => command.includes(program) && /^\S*node /.test(command),
      )
      process.kill(root!.pid, 'SIGKILL')
      await gone(below, 3500)
      await live.ended
    },
  )

  reuseIt('P38 whoever gets the number of a child that has gone is never signalled', async ({ lab }) => {
    const program = lab.program(ts`
      import { spawn } from 'node:child_process'
      import { writeFileSync } from 'node:fs'
      import { println, self, spawnProcess } from 'wat-vm'
      const ends = [
        child => child.stop(),
        child => child.kill(),
        child => (child.signal('SIGKILL'), child.exited),
        child => child.call('panic').catch(() => child.exited),
      ] as ((child: any) => Promise<any>)[]
      for (const end of ends) {
        const child = spawnProcess<any, any>(self.args[0]!, { stopGrace: 300 })
        await child.ready
        const number = child.pid!
        await end(child)
        let heir
        for (let n = 0; n < 100 && heir?.pid !== number; n++) {
          heir?.kill('SIGKILL')
          writeFileSync('/proc/sys/kernel/ns_last_pid', String(number - 1))
          heir = spawn('sleep', ['100'], { detached: true, stdio: 'ignore' })
          await new Promise(resolve => setTimeout(resolve, 5))
        }
        let death = 'lives'
        heir!.on('exit', (_, signal) => { death = signal! })
        const said = child.signal('SIGTERM')
        await Promise.all([child.stop(), child.kill(), child[Symbol.asyncDispose]()])
        await new Promise(resolve => setTimeout(resolve, 600)) // longer than the grace
        await println([heir!.pid === number, said, death])
        heir!.kill('SIGKILL')
      }`)
    const panics = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(() => new Promise(() => setImmediate(() => { throw new Error('told to') })))`)
    const live = lab.command('unshare', [...unshare, 'wat', program, panics])
    const { code, stdout } = await live.end()
    expect({ code, stdout }).toEqual({ code: 0, stdout: '[true false "lives"]\n'.repeat(4) })
  })
})
