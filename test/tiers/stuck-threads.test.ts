import { describe, expect, it, ts } from '../support/lab.ts'
import { boot, oldestNode } from '../support/machine.ts'

const GRACE_MS = 800

/** Calls that do not come back for long. Some can be ended, some cannot. */
const calls = {
  'a command': `process.getBuiltinModule('node:child_process').execSync('sleep 60; true')`,
  'a wait': `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  'native code': `process.getBuiltinModule('node:crypto').pbkdf2Sync('a', 'b', 200_000_000, 64, 'sha512')`,
  'an expression that backtracks': `/^(a+)+$/.test('a'.repeat(60) + 'b')`,
  'a FIFO nobody writes to': `process.getBuiltinModule('node:child_process').execSync('mkfifo ' + self.args[0]); process.getBuiltinModule('node:fs').readFileSync(self.args[0])`,
}

/** A program with a thread that is in the call; `then` goes on. */
const program = (call: string, then: string) => ts`
  import { println, self, spawnThread } from 'wat-vm'
  const timed = async (work: Promise<unknown>) => {
    const begun = performance.now()
    return [await work, performance.now() - begun]
  }
  self.onStop(() => println('hook'))
  const thread = spawnThread(async ({ self, println }) => { await println('in'); setTimeout(() => { ${call} }) },
    { name: 'thread', args: [import.meta.filename + '.fifo'], stopGrace: ${GRACE_MS} })
  await thread.stdout.recv()
  await new Promise(resolve => setTimeout(resolve, 300))
  ${then}`

describe('a thread in a synchronous call', () => {
  for (const [what, call] of Object.entries(calls)) {
    it(`P78 of ${what}: kill and stop settle in time, and its process goes on and ends`, async ({ lab }) => {
      for (const [how, most] of [
        ['kill', 1000],
        ['stop', GRACE_MS + 1000],
      ] as const) {
        const outcome = await timed(
          lab.run(lab.program(program(call, `await println(await timed(thread.${how}()))`))),
        )
        const [, ms] = /^\[\{:signal "SIGKILL"\} (.+)\]\n"hook"\n$/.exec(outcome.stdout) ?? []
        expect(Number(ms)).toBeLessThan(most)
        expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' })
        expect(outcome.ms).toBeLessThan(5000)
        await lab.noSurvivors(1000)
      }
    })

    it(`P35 P78 of ${what}: its process ends within its grace, hooks and exit code as ever`, async ({
      lab,
    }) => {
      const env = { WAT_STOP_GRACE_MS: String(GRACE_MS) }
      const end = (then: string) => timed(lab.run(lab.program(program(call, then)), { env }))
      const ordinary = await end('process.exitCode = 6')
      expect(ordinary).toMatchObject({ code: 6, stdout: '"hook"\n', stderr: '' })
      expect(ordinary.ms).toBeLessThan(GRACE_MS + 3000)
      expect(await end('process.exit(7)')).toMatchObject({ code: 7, stdout: '', stderr: '' })
      expect(await end(`throw new Error('boom')`)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^#wat\/panic .*\n$/),
      })
      await lab.noSurvivors(1000)
    })
  }

  for (const what of ['a wait', 'native code'] as const) {
    it(`P78 of ${what}, below another thread and in a child: the tree is gone in time`, async ({ lab }) => {
      const middle = program(calls[what], `await println('in'); setInterval(() => {}, 1000)`)
      const file = lab.program({
        'main.ts': ts`
          import { println, spawnProcess, spawnThread } from 'wat-vm'
          for (const spawn of [spawnProcess, spawnThread]) {
            const middle = spawn<any, any>(new URL('./middle.ts', import.meta.url), { name: 'middle', stopGrace: ${GRACE_MS} })
            await middle.stdout.recv()
            await new Promise(resolve => setTimeout(resolve, 300))
            const begun = performance.now()
            await println([await middle.stop(), performance.now() - begun < ${GRACE_MS} + 1000])
          }`,
        'middle.ts': middle.replace(`println('hook')`, '{}'),
      })
      // Node ends a thread only behind its own threads: one above native code is given up with it.
      const thread = what === 'a wait' ? { code: 0 } : { signal: 'SIGKILL' }
      expect(await lab.facts(file)).toEqual([
        [{ code: 0 }, true],
        [thread, true],
      ])
      await lab.noSurvivors(1000)
    })
  }

  it('P78 of a plain Node program: that ends, too, and what listens for its end is called', async ({
    lab,
  }) => {
    const file = lab.program({
      'host.mjs': ts`
        import { spawnThread } from ${JSON.stringify(new URL('../../dist/core.js', import.meta.url).href)}
        const thread = spawnThread(async ({ println }) => { await println('in'); setTimeout(() => { ${calls['native code']} }) })
        await thread.stdout.recv()
        await new Promise(resolve => setTimeout(resolve, 300))
        process.on('exit', code => console.log('exit', code))
        process.exitCode = 4
        if (process.argv[2] === 'now') process.exit()`,
    })
    for (const args of [[], ['now']]) {
      expect(await lab.command(process.execPath, [file, ...args]).end()).toMatchObject({
        code: 4,
        stdout: 'exit 4\n',
      })
    }
  })

  it.skipIf(!oldestNode())('P78 with the oldest Node that wat runs on', async ({ lab }) => {
    const file = lab.program(program(calls['native code'], 'process.exit(7)'))
    expect(
      await lab.sh(`exec "$1" "$2" "$3" 3<&0 4>&1`, { args: [oldestNode()!, boot, file] }),
    ).toMatchObject({ code: 7 })
  })
})

async function timed<T extends object>(work: Promise<T>): Promise<T & { ms: number }> {
  const begun = performance.now()
  return { ...(await work), ms: performance.now() - begun }
}
