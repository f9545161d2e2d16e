import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { descendants, descriptors } from '../support/proc.ts'

/** What children do to the wire on purpose. Each may use `write(bytes)`, a raw write to the parent. */
const hostile: Record<string, [deed: string, result: string]> = {
  garbage: [
    ts`write(Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7919) % 256))); write('\n')`,
    'reply',
  ],
  'closing brackets': [ts`for (let n = 0; n < 20_000; n++) write(']})\n')`, 'reply'],
  'unknown frames': [ts`for (let n = 0; n < 20_000; n++) write('#wat/what 1\n')`, 'reply'],
  'replies to unknown ids': [
    ts`for (let n = 1000; n < 21_000; n++) write('#wat/rep [' + n + ' 1]\n')`,
    'reply',
  ],
  'errors to unknown ids': [
    ts`for (let n = 1000; n < 21_000; n++) write('#wat/err [' + n + ' {}]\n')`,
    'reply',
  ],
  'requests to its parent': [
    ts`for (let n = 1; n < 5_000; n++) write('#wat/req [' + n + ' "do it"]\n')`,
    'reply',
  ],
  'a stop for its parent': [ts`write('#wat/stop {:grace-ms 0}\n'); write('#wat/cancel [1]\n')`, 'reply'],
  'ready again and again': [
    ts`for (let n = 0; n < 1000; n++) write('#wat/ready {:protocol 99 :pid "x"}\n')`,
    'reply',
  ],
  'an endless symbol, which swallows its own reply': [
    ts`for (let n = 0; n < 200; n++) write(Buffer.alloc(500_000, 'x'))`,
    'timeout',
  ],
  'an endless string': [
    ts`write('["'); for (let n = 0; n < 200; n++) write(Buffer.alloc(500_000, 'x')); write('"]\n')`,
    'reply',
  ],
  'an endless reply': [
    ts`write('#wat/rep [1 "'); for (let n = 0; n < 200; n++) write(Buffer.alloc(500_000, 'x')); write('"]\n')`,
    'too-large',
  ],
  'nesting without end': [ts`write('['.repeat(3_000_000)); write(']'.repeat(3_000_000) + '\n')`, 'reply'],
  'a fault that is no map': [ts`write('#wat/err [1 5]\n')`, 'handler'],
  'half a frame, then death': [
    ts`write('#wat/rep [1 {:a "half'); process.kill(process.pid, 'SIGKILL')`,
    'offline',
  ],
  'half a frame, then exit 0': [ts`write('#wat/rep [1 {:a "half'); process.exit(0)`, 'offline'],
  'a reply twice': [ts`write('#wat/rep [1 "early"]\n#wat/rep [1 "twice"]\n')`, 'early'],
  'a flood of values nobody reads, before its reply': [
    ts`for (let n = 0; n < 200; n++) void println('x'.repeat(100_000)).catch(() => {})`,
    'reply',
  ],
  'nothing any more, its stdout closed': [ts`fs.closeSync(4)`, 'offline'],
}

describe('isolation', () => {
  for (const [what, [deed, result]] of Object.entries(hostile)) {
    it(`P32 a child that sends ${what} harms neither its sibling nor its parent`, async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { println, self, spawnProcess } from 'wat-vm'
          ${told}
          const sibling = spawnProcess<number, number>(self.args[0], { name: 'sibling' })
          const hostile = spawnProcess(new URL('./hostile.ts', import.meta.url), { stopGrace: 1000, maxFrame: 2e6, stderr: 'pipe' })
          const { value, code } = (await told(hostile.call(1, { timeout: ${result === 'timeout' ? 1000 : 5000} }))) as any
          await println(value ?? code)
          await println([await sibling.call(21), process.memoryUsage().rss < 300e6])
          await hostile.kill()
          await println(await sibling.call(4))`,
        'hostile.ts': ts`
          import fs from 'node:fs'
          import { println, serve } from 'wat-vm'
          const sleeper = new Int32Array(new SharedArrayBuffer(4))
          const write = (data: string | Buffer) => {
            let bytes = Buffer.from(data as string)
            while (bytes.length > 0) {
              try { bytes = bytes.subarray(fs.writeSync(4, bytes)) }
              catch (error: any) { if (error.code !== 'EAGAIN') return; Atomics.wait(sleeper, 0, 0, 1) }
            }
          }
          await serve(async () => {
            ${deed}
            return 'reply'
          })`,
      })
      const outcome = await lab.run(program, { args: [fixture('double.ts')] })
      expect(outcome.code, outcome.stderr.slice(0, 1000)).toBe(0)
      const [call, ...rest] = outcome.stdout.trim().split('\n')
      expect(call).toBe(JSON.stringify(result))
      expect(rest).toEqual(['[42 true]', '8'])
      expect(outcome.stderr.length).toBeLessThan(20_000) // told, but not ten thousand times
    })
  }

  it('P25 a child has its own three pipes, and none of its siblings or of its parent', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln, self, spawnProcess } from 'wat-vm'
      const children = Array.from({ length: 3 }, () => spawnProcess(self.args[0]))
      await Promise.all(children.map(child => child.call(1)))
      await println(children.map(child => child.pid))
      await readln()`)
    const live = lab.start(program, { args: [fixture('double.ts')] })
    const pids = (await live.stdout.value<number[]>())!
    const pipes = (pid: number) =>
      descriptors(pid)
        .flatMap(line => /(?:pipe|socket):\[\d+\]/.exec(line)?.[0] ?? [])
        .filter((p, n, all) => all.indexOf(p) === n)
    const own = pids.map(pipes)
    expect(own.map(list => list.length >= 3)).toEqual([true, true, true])
    const root = pipes(live.pid)
    const outside = pipes(process.pid) // what this test run itself has inherited
    for (const [n, list] of own.entries()) {
      const others = [...root, ...own.filter((_, m) => m !== n).flat()]
      expect(list.filter(pipe => others.includes(pipe) && !outside.includes(pipe))).toEqual([])
    }
    expect(descendants(live.pid).length).toBeGreaterThanOrEqual(3)
    expect((await live.end('1')).code).toBe(0)
  })

  it('P25 what a child starts inherits none of its pipes', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println(await child.call(1))`,
      'child.ts': ts`
        import { execFileSync } from 'node:child_process'
        import { serve } from 'wat-vm'
        await serve(() => execFileSync('sh', ['-c', 'ls /proc/self/fd'], { encoding: 'utf8' }).trim().split('\n').map(Number))`,
    })
    const [open] = await lab.facts(program)
    expect(open.filter((fd: number) => fd > 2 && fd < 6)).toEqual(open.includes(3) ? [3] : []) // ls opens the folder
  })

  it('P25 the code is the same at every level: a program tells no level apart', async ({ lab }) => {
    const program = lab.program(ts`
      import { self, serve, spawnProcess } from 'wat-vm'
      await serve(async (n: number): Promise<unknown> => {
        if (n === 0) return [self.address]
        const child = spawnProcess<any, any>(import.meta.filename)
        return [self.address, ...(await child.call(n - 1))]
      })`)
    expect(await lab.facts(program, { input: '0 3' })).toEqual([
      ['/'],
      ['/', '/program', '/program/program', '/program/program/program'],
    ])
  })
})
