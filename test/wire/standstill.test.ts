import { describe, expect, it, ts } from '../support/lab.ts'
import { tierModule, tiers } from '../tiers/tiers.ts'

/** Prints a value with each answer. */
const chatty = ts`
  import { println, serve } from 'wat-vm'
  await serve((n: number) => { void println([n, 'x'.repeat(1000)]); return n })`

/** The same as a command of version 1 of the protocol, which knows no credit. */
const simple = ts`
  import readline from 'node:readline'
  console.log('#wat/ready {:protocol 1}')
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [, id, body] = /^#wat\/req \[(\d+) (.*)\]$/.exec(line) ?? []
    if (id) console.log('[' + body + ' "' + 'x'.repeat(1000) + '"]\n#wat/rep [' + id + ' ' + body + ']')
  }`

const warning =
  /#wat\/log \{:level :warn .*:message "plain values that nobody reads, (\d+) bytes, hold up the replies of \/chatty/

describe('no silent stop', () => {
  it('P70 plain values that nobody reads and that hold up replies are told once, with what to do', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { fileURLToPath } from 'node:url'
        import { println, spawnProcess } from 'wat-vm'
        const args = [fileURLToPath(new URL('./simple.mjs', import.meta.url))]
        const child = spawnProcess<number, number>({ command: process.execPath, args }, { name: 'chatty', maxFrame: 100_000 })
        let answered = 0
        const calls = (async () => { for (let n = 0; n < 1000; n++) answered = await child.call(n) })()
        await new Promise(resolve => setTimeout(resolve, 3500))
        await println(answered < 999)
        child.stdout.close() // as the record says
        await calls
        await println(answered)`,
      'simple.mjs': simple,
    })
    const { code, stdout, stderr } = await lab.run(program)
    expect([code, stdout]).toEqual([0, 'true\n999\n'])
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(warning)
    expect(stderr).toMatch(
      /read its stdout, or close\(\) it" :data \{:child "\/chatty" :bytes \d+ :pending 1\}\}/,
    )
  })

  it('P70 nothing is told of a reader who is slow, nor of values that hold up nobody', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { fileURLToPath } from 'node:url'
        import { println, spawnProcess } from 'wat-vm'
        const args = [fileURLToPath(new URL('./simple.mjs', import.meta.url))]
        const child = spawnProcess<number, number>({ command: process.execPath, args }, { name: 'chatty', maxFrame: 20_000 })
        const calls = (async () => { for (let n = 0; n < 100; n++) await child.call(n) })()
        let seen = 0
        for (; seen < 25; seen++) {
          await child.stdout.recv()
          await new Promise(resolve => setTimeout(resolve, 150))
        }
        for (; seen < 100; seen++) await child.stdout.recv()
        await calls
        const silent = spawnProcess(new URL('./flood.ts', import.meta.url))
        await silent.ready
        await new Promise(resolve => setTimeout(resolve, 2500))
        await println(seen)`,
      'simple.mjs': simple,
      'flood.ts': ts`import { println } from 'wat-vm'; for (;;) await println('x'.repeat(1000))`,
    })
    const { code, stdout, stderr } = await lab.run(program)
    expect([code, stdout, stderr]).toEqual([0, '100\n', ''])
  })

  it('P70 a plain Node parent is told, too', async ({ lab }) => {
    const program = lab.program({
      'parent.mjs': ts`
        import { fileURLToPath } from 'node:url'
        import { spawnProcess } from ${JSON.stringify(new URL('../../dist/core.js', import.meta.url).href)}
        const args = [fileURLToPath(new URL('./simple.mjs', import.meta.url))]
        const child = spawnProcess({ command: process.execPath, args }, { name: 'chatty', maxFrame: 100_000, stopGrace: 500 })
        for (let n = 0; n < 1000; n++) await child.call(n)`,
      'simple.mjs': simple,
    })
    const live = lab.command(process.execPath, [program])
    expect(await live.stderr.match(/#wat\/log/)).toMatch(warning)
    live.signal('SIGKILL')
    await live.ended
  })

  it('P70 a child whose stdin is full of what it never reads says so, and a root does not', async ({
    lab,
  }) => {
    const deaf = lab.program(ts`setInterval(() => {}, 1000)`)
    const child = lab.start(deaf, { env: { WAT_ADDRESS: '/deaf' } }) // by somebody who knows no credit
    void child.writeAll(`"${'x'.repeat(1000)}"\n`.repeat(1000)).catch(() => {})
    expect(await child.stderr.match(/#wat\/log/)).toMatch(
      /:level :warn .*:address "\/deaf".* "plain values that nobody reads hold up what comes behind them: read stdin/,
    )
    child.signal('SIGTERM')
    await child.ended
    const root = lab.start(deaf)
    void root.writeAll('1\n'.repeat(1_000_000)).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 2500))
    root.signal('SIGTERM')
    expect((await root.ended).stderr).toBe('')
  })
})

describe.each(tiers)('between two wat-vms in $name', tier => {
  it.skipIf(Boolean(tier.missing))(
    'P48 P79 plain values that nobody reads hold up neither replies nor memory, and all are there for who reads late',
    async ({ lab }) => {
      const { args, close } = await tier.prepare(lab)
      const program = lab.program({
        'main.ts': ts`
          import { println } from 'wat-vm'
          import { spawn } from './tier.ts'
          const child = spawn(new URL('./chatty.ts', import.meta.url))
          for (let n = 0; n < 3000; n++) await child.call(n)
          for (let n = 0; n < 3000; n += 100) await Promise.all(Array.from({ length: 100 }, () => child.call(-1)))
          await println(process.memoryUsage().rss < 250e6)
          let next = 0
          while (next < 3000 && (await child.stdout.recv() as any)[0] === next) next++
          await println(next)
          await child.stop()`,
        'chatty.ts': chatty,
        'tier.ts': tierModule,
      })
      expect(await lab.facts(program, { args })).toEqual([true, 3000])
      await close()
    },
  )
})
