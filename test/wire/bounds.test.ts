import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parse } from '../../runtime/edn/index.ts'
import { dial } from '../../runtime/net/dial.ts'
import { describe, expect, it, ts } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { residentMiB } from '../support/proc.ts'
import { secretFile } from '../tiers/tiers.ts'

/** What a flood may make a process grow by; each of these grew by tens of MiB a second, without an end. */
const GROWTH_MIB = 110

/** A pipe that takes nothing for so long is not read any more. */
const STUCK_MS = 1000

/** Neither serves nor reads. */
const idle = ts`import { println } from 'wat-vm'; await println('on'); setInterval(() => {}, 1000)`

/** Feeds a program until it reads no more or has taken too much; gives both, and what it has grown by. */
async function flood(
  live: Live,
  line: string,
  mostMiB: number,
): Promise<{ stuck: boolean; grownMiB: number }> {
  const before = residentMiB(live.pid)
  const chunk = `${line}\n`.repeat(Math.ceil(65_536 / line.length))
  let stuck = false
  for (let taken = 0; !stuck && taken < mostMiB * 2 ** 20; taken += chunk.length) {
    const fed = live.writeAll(chunk).catch(() => {})
    stuck =
      (await Promise.race([fed, new Promise(resolve => setTimeout(resolve, STUCK_MS, 'stuck'))])) === 'stuck'
  }
  return { stuck, grownMiB: residentMiB(live.pid) - before }
}

describe('memory is bounded', () => {
  for (const [what, mostMiB, program, line] of [
    ['requests to a program that neither serves nor reads', 40, idle, '#wat/req [1 0]'],
    [
      'requests to a program that may yet serve',
      40,
      `${idle}; await new Promise(() => {})`,
      '#wat/req [1 0]',
    ],
    [
      'requests to a program that reads its values by hand',
      60,
      ts`import { println, stdin } from 'wat-vm'; await println('on'); for await (const value of stdin);`,
      '#wat/req [1 0]',
    ],
    ['requests that are refused one by one', 2, idle, '#wat/req [1 ##Inf 0 0]'],
    [
      'plain values with answers that wait behind a slow one',
      40,
      ts`import { println, serve } from 'wat-vm'; let n = 0; await println('on'); await serve(() => n++ ? 'x'.repeat(4e6) : new Promise(() => {}))`,
      '1',
    ],
  ] as const) {
    it(`P71 ${what}, and nobody reads what comes back`, async ({ lab }) => {
      const live = lab.start(lab.program(program))
      await live.stdout.line()
      live.pauseReading('stdout')
      const { stuck, grownMiB } = await flood(live, line, mostMiB)
      expect([stuck, grownMiB < GROWTH_MIB]).toEqual([true, true])
      live.signal('SIGKILL')
      live.resumeReading('stdout')
      await live.ended
    })
  }

  it('P70 P71 a child that writes requests and never reads what it is told is not read any more, and that is told', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, spawnProcess } from 'wat-vm'
      const child = spawnProcess({ command: 'yes', args: ['#wat/req [1 0]'] })
      await println('on')
      await child.call(1)`)
    const live = lab.start(program)
    await live.stdout.line()
    const before = residentMiB(live.pid)
    await live.stderr.match(
      /:level :warn .*:message "requests to us, whose refusals it does not read, hold up the replies of \/yes/,
    )
    expect(residentMiB(live.pid) - before).toBeLessThan(GROWTH_MIB)
    live.signal('SIGTERM')
    await live.ended
  })

  it('P71 lines of one character on a stderr that the parent takes and never reads', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, spawnProcess } from 'wat-vm'
      const child = spawnProcess({ command: 'sh', args: ['-c', 'exec yes >&2'] }, { stderr: 'pipe' })
      const before = process.memoryUsage.rss()
      await new Promise(resolve => setTimeout(resolve, 2500))
      await println(Math.round((process.memoryUsage.rss() - before) / 2 ** 20))
      await child.kill()`)
    const [grown] = await lab.facts(program)
    expect(grown).toBeLessThan(55)
  })

  it('P71 a client of listen that asks for a stop with a long grace, then asks and asks and reads nothing', async ({
    lab,
  }) => {
    const file = secretFile(lab)
    const program = lab.program(ts`
      import { listen, println, self } from 'wat-vm'
      const server = await listen('tcp://127.0.0.1:0', () => new Promise(() => {}), { secret: self.args[0]! })
      await println(server.address)`)
    const live = lab.start(program, { args: [file] })
    const socket = await dial(parse((await live.stdout.line()) ?? '') as string, { secret: file })
    socket.pause()
    socket.write('#wat/req [7 0]\n#wat/stop {:grace-ms 1000000}\n')
    const feed = (chunk: string) =>
      new Promise<void>(
        (resolve, reject) => void socket.write(chunk, error => (error ? reject(error) : resolve())),
      )
    const before = residentMiB(live.pid)
    void (async () => {
      for (;;) await feed('#wat/req [1 0]\n'.repeat(4096))
    })().catch(() => {}) // the end of the connection
    await new Promise(resolve => setTimeout(resolve, 3500))
    expect(residentMiB(live.pid) - before).toBeLessThan(GROWTH_MIB)
    socket.destroy()
    live.signal('SIGKILL')
    await live.ended
  })
})

describe('records that nobody reads', () => {
  const logging = ts`
    import { log, self } from 'wat-vm'
    const count = Number(self.args[0])
    for (let n = 0; n < count; n++) log.info(n + 'x'.repeat(200))`

  it('P72 are dropped beyond a bound, counted, and told when there is room; the panic is the last line', async ({
    lab,
  }) => {
    const live = lab.start(
      lab.program(ts`
        import { log, println, stdin } from 'wat-vm'
        await println('on')
        let n = 0
        const logging = setInterval(() => { for (let k = 0; k < 1000; k++) log.info(n++ + 'x'.repeat(200)) }, 1)
        await stdin.recv()
        clearInterval(logging)
        await stdin.recv()
        throw new Error('after ' + n)`),
    )
    live.pauseReading('stderr')
    await live.stdout.line()
    const before = residentMiB(live.pid)
    await new Promise(resolve => setTimeout(resolve, 3000))
    expect(residentMiB(live.pid) - before).toBeLessThan(GROWTH_MIB)
    live.write('1\n')
    live.resumeReading('stderr')
    const note = await live.stderr.match(/were dropped/)
    const [, dropped] =
      /:message "[\d,]+ more records were dropped: nobody read stderr" :data \{:dropped (\d+)\}\}/.exec(
        note,
      ) ?? []
    const { code, stderr } = await live.end('2\n')
    const written = stderr.match(/#wat\/log \{:level :info/g)!.length
    expect(code).toBe(2)
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      `#wat/panic {:type :wat/handler :message "after ${written + Number(dropped)}"`,
    )
  })

  it('P24 P72 arrive whole where the reader is only slow, from a root, a thread and a child', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': logging,
      'above.ts': ts`
        import { self, spawnProcess, spawnThread } from 'wat-vm'
        const spawn = self.args[1] === 'thread' ? spawnThread : spawnProcess
        await spawn(new URL('./root.ts', import.meta.url), { args: [self.args[0]!] }).exited`,
    })
    for (const [file, kind] of [
      ['root.ts', ''],
      ['above.ts', 'thread'],
      ['above.ts', 'process'],
    ]) {
      const slow = ts`
        let lines = 0
        process.stdin.on('data', chunk => {
          for (const byte of chunk) if (byte === 10) lines++
          process.stdin.pause()
          setTimeout(() => process.stdin.resume(), 1)
        }).on('end', () => console.log(lines))`
      const { stdout } = await lab.sh('wat "$1" 80000 "$2" 2>&1 >/dev/null </dev/null | node -e "$3"', {
        args: [program.replace(/[^/]*$/, file!), kind!, slow],
      })
      expect([file, kind, stdout]).toEqual([file, kind, '80000\n'])
    }
  })

  it('P24 console text waits for its pipe, and no byte of it is written twice', async ({ lab }) => {
    const program = lab.program(ts`
      console.log('a'.repeat(1_000_000))
      await new Promise(resolve => setTimeout(resolve, 300)) // the rest waits for room
      console.log('b'.repeat(6_000_000))
      await new Promise(resolve => setTimeout(resolve, 100))
      console.log('end')`)
    const child = spawn('sh', ['-c', 'wat "$1" 2>&1 >/dev/null </dev/null | (sleep 1; cat)', 'sh', program], {
      env: lab.env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', chunk => (text += chunk))
    await once(child, 'close')
    expect([text.match(/a/g)?.length, text.match(/b/g)?.length, text.length]).toEqual([
      1_000_000, 6_000_000, 7_000_006,
    ])
  })
})
