import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, told, ts } from '../support/lab.ts'
import { descendants, residentMiB } from '../support/proc.ts'

/** Prints numbered values of 1 KB for ever and keeps the number of those sent in the file it is given. */
const source = ts`
  import fs from 'node:fs'
  import { println, self } from 'wat-vm'
  fs.writeFileSync(self.args[0], '0')
  for (let n = 0; ; n++) {
    await println([n, 'x'.repeat(1000)])
    fs.writeFileSync(self.args[0], String(n))
  }`

describe('backpressure', () => {
  it('P9 a fast leaf three levels deep waits for a slow reader, and memory is flat at every level', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, self, spawnProcess } from 'wat-vm'
        const { program, args } = { program: self.args[0], args: self.args.slice(1) }
        const below = spawnProcess(new URL(program, import.meta.url), { args })
        for await (const value of below.stdout) await println(value)`,
      'leaf.ts': source,
    })
    const count = path.join(path.dirname(program), 'count')
    const env = { WAT_STOP_GRACE_MS: '1500' }
    const live = lab.start(program, { args: ['./root.ts', './leaf.ts', count], env })
    const first = await live.stdout.line()
    expect(first).toMatch(/^\[0 /)
    live.pauseReading()
    const sent = () => Number(readFileSync(count, 'utf8'))
    for (let before = -1; sent() !== before; await delay(700)) before = sent()
    const stuck = sent()
    expect(stuck).toBeLessThan(8000) // 8 MB in two pipes, three processes and their buffers
    const wats = [
      live.pid,
      ...descendants(live.pid)
        .filter(p => p.command.includes('boot.js'))
        .map(p => p.pid),
    ]
    expect(wats).toHaveLength(3)
    for (const pid of wats) expect(residentMiB(pid)).toBeLessThan(130)
    live.resumeReading()
    for (let n = 1; n <= stuck + 1000; n++) {
      const line = await live.stdout.line()
      if (!line?.startsWith(`[${n} `)) throw new Error(`value ${n} is missing: ${line?.slice(0, 20)}`)
    }
    live.signal('SIGTERM')
    expect((await live.ended).signal).toBe('SIGTERM')
  })

  it('P9 a slow leaf makes those who send to it wait, three levels up', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { readln, self, spawnProcess } from 'wat-vm'
        const [next, ...args] = self.args
        const below = spawnProcess(new URL(next, import.meta.url), { args })
        for (let value; (value = await readln()) !== undefined; ) await below.stdin.send(value)
        await below.stdin.end()
        await below.exited`,
      'leaf.ts': ts`
        import { log, readln, self } from 'wat-vm'
        log.info('one', await readln())
        await new Promise(resolve => self.signal.addEventListener('abort', resolve))`,
    })
    const env = { WAT_STOP_GRACE_MS: '1500' }
    const live = lab.start(program, { args: ['./root.ts', './leaf.ts'], env })
    live.write('1\n')
    await live.stderr.match(/:data 1\}/)
    let taken = 0
    const chunk = `"${'x'.repeat(1000)}"\n`.repeat(100) // 100 KB
    const feeding = (async () => {
      for (; taken < 1000; taken++) await live.writeAll(chunk)
    })().catch(() => {})
    for (let before = -1; taken !== before; await delay(700)) before = taken
    expect(taken).toBeLessThan(80)
    for (const { pid } of descendants(live.pid)) expect(residentMiB(pid)).toBeLessThan(130)
    live.signal('SIGTERM')
    await live.ended
    await feeding
  })

  it('P10 both sides send 5 MB before either reads, in many values or in one', async ({ lab }) => {
    for (const [count, size] of [
      [500, 10_000],
      [1, 5_000_000],
      [50_000, 100],
    ]) {
      const talk = ts`
        const sends: Promise<void>[] = []
        for (let n = 0; n < ${count}; n++) sends.push(send('x'.repeat(${size})))
        await Promise.all(sends)
        let seen = 0
        for (let n = 0; n < ${count}; n++) seen += (await receive()).length`
      const program = lab.program({
        'parent.ts': ts`
          import { println, spawnProcess } from 'wat-vm'
          const child = spawnProcess(new URL('./child.ts', import.meta.url))
          const send = (value: unknown) => child.stdin.send(value)
          const receive = () => child.stdout.recv()
          ${talk}
          await println([seen, await child.stdout.recv()])`,
        'child.ts': ts`
          import { println, readln } from 'wat-vm'
          const send = println
          const receive = () => readln<string>()
          ${talk}
          await println(seen)`,
      })
      expect(await lab.facts(program)).toEqual([[count! * size!, count! * size!]])
    }
  })

  it('P10 calls in both shapes, 5 MB each way, do not lock up', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess<string, string>(new URL('./child.ts', import.meta.url), { maxInFlight: 10_000 })
        const replies = await Promise.all(Array.from({ length: 500 }, (_, n) => child.call(n + 'x'.repeat(10_000))))
        await println(replies.every((reply, n) => reply === n + 'x'.repeat(10_000)))`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve(text => text, { concurrency: 1000 })`,
    })
    expect(await lab.facts(program)).toEqual([true])
  })

  it('P9 a child that writes 1 MB to a stderr nobody reads still replies', async ({ lab }) => {
    const files = (stderr: string) => ({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: '${stderr}' })
        await println(await child.call(1))
        await child.stop()`,
      'child.ts': ts`
        import { log, serve } from 'wat-vm'
        await serve(() => {
          for (let n = 0; n < 500; n++) {
            log.info('x'.repeat(1000))
            console.error('y'.repeat(500))
          }
          process.stderr.write('z'.repeat(250_000))
          return 'reply'
        })`,
    })
    expect(await lab.facts(lab.program(files('pipe')))).toEqual(['reply'])
    const live = lab.start(lab.program(files('relay')))
    live.pauseReading('stderr')
    expect(await live.stdout.line()).toBe('"reply"')
    live.resumeReading('stderr')
    const { code, stderr } = await live.end()
    expect(code).toBe(0)
    expect(stderr.match(/#wat\/log/g)).toHaveLength(500)
    expect(stderr.match(/z/g)).toHaveLength(250_000)
  })

  it('P13 a send that waits for room rejects with `offline` when the child is killed', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${told}
        const child = spawnProcess(new URL('./deaf.ts', import.meta.url))
        await child.ready
        const sends = Array.from({ length: 40 }, () => told(child.stdin.send('x'.repeat(100_000))))
        const ending = told(child.stdin.send('last'))
        child.signal('SIGKILL')
        const results = await Promise.all([...sends, ending])
        await println(results.at(-1).code)
        await println(results.filter(r => r.code === undefined).length < 40)
        await println(child.stdin.trySend('x'))
        await println((await told(child.stdin.send('x'))).code)
        await println((await child.exited).signal)`,
      'deaf.ts': ts`import { println } from 'wat-vm'; println('on'); for (;;) {}`,
    })
    expect(await lab.facts(program)).toEqual(['offline', true, 'closed', 'offline', 'SIGKILL'])
  })

  it('P13 trySend says sent, full and closed; end lets the reader see the end', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        let sent = 0
        while (child.stdin.trySend('x'.repeat(10_000)) === 'sent') sent++
        await println(sent > 0 && sent < 1000)
        await println(child.stdin.trySend('x'))
        await child.stdin.end()
        await println(child.stdin.trySend('x'))
        await println(child.stdin.closed)
        await println((await child.stdout.recv()) === sent)
        await println(await child.stdout.recv() ?? 'end')`,
      'child.ts': ts`
        import { println, stdin } from 'wat-vm'
        let count = 0
        for await (const value of stdin) count++
        await println(count)`,
    })
    expect(await lab.facts(program)).toEqual([true, 'full', 'closed', true, true, 'end'])
  })

  it('P13 sends that nobody awaits end in `overloaded`, not in all of the memory', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./deaf.ts', import.meta.url))
        const text = 'x'.repeat(1_000_000)
        const codes = new Set()
        for (let n = 0; n < 300; n++) child.stdin.send(text).catch(error => codes.add(error.code))
        await new Promise(resolve => setImmediate(resolve))
        await println([...codes])
        await child.kill()`,
      'deaf.ts': ts`for (;;) {}`,
    })
    expect(await lab.facts(program)).toEqual([['overloaded']])
  })

  it('P13 writing to /dev/full rejects, and the reason tells why', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, println } from 'wat-vm'
      await println('lost').catch(error => log.info(error.code, error.data))`)
    const outcome = await lab.sh('wat "$1" > /dev/full', { args: [program] })
    expect(outcome.stderr).toMatch(/#wat\/log .*:message "offline" :data \{:code "ENOSPC"\}/)
  })

  it('P24 what a child wrote before its exit is there for a reader who comes late', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { setTimeout } from 'node:timers/promises'
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { args: ['1000'] })
        await setTimeout(500)
        const values = await Array.fromAsync(child.stdout)
        await println(values.length === 1000 && values.every((value, n) => value[0] === n))
        const small = spawnProcess(new URL('./child.ts', import.meta.url), { args: ['100'] })
        await println(await small.exited)
        await println((await Array.fromAsync(small.stdout)).length)`,
      'child.ts': ts`
        import { println, self } from 'wat-vm'
        for (let n = 0; n < Number(self.args[0]); n++) println([n, 'x'.repeat(1000)])`,
    })
    expect(await lab.facts(program)).toEqual([true, { code: 0 }, 100])
  })

  it('P8 a value that comes before anybody asks is delivered, and so is a reply nobody awaits yet', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { setTimeout } from 'node:timers/promises'
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await child.ready
        const reply = child.call(1)
        await child.call(2)
        await setTimeout(100)
        await println(await child.stdout.recv())
        await println(await reply)`,
      'child.ts': ts`
        import { println, serve } from 'wat-vm'
        await println('early')
        await serve(n => n)`,
    })
    expect(await lab.facts(program)).toEqual(['early', 1])
  })

  it('P9 a child that floods a parent who only makes calls is held back, and the calls are answered', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./flood.ts', import.meta.url))
        for (let n = 0; n < 20; n++) await child.call(n)
        await println(process.memoryUsage().rss < 250e6)
        await println((await child.stdout.recv()).length)`,
      'flood.ts': ts`
        import { self, println, serve } from 'wat-vm'
        void (async () => {
          while (!self.signal.aborted) await println('x'.repeat(10_000)).catch(() => {})
        })()
        await serve(n => n)`,
    })
    expect(await lab.facts(program)).toEqual([true, 10_000])
  })
})
