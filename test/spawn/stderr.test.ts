import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'

describe('the stderr of a child', () => {
  const leaf = ts`
    import fs from 'node:fs'
    import { log, serve } from 'wat-vm'
    await serve(() => {
      log.warn('structured', { n: 1 })
      console.error('text of a library')
      fs.writeSync(2, 'é raw bytes\n')
      return 'done'
    })`

  it('P30 is relayed to the stderr of the root, with the address, over every level', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url))
        await println(await middle.call(1))`,
      'middle.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const leaf = spawnProcess(new URL('./leaf.ts', import.meta.url))
        await serve(n => leaf.call(n))`,
      'leaf.ts': leaf,
    })
    const { stderr, stdout } = await lab.run(program)
    expect(stdout).toBe('"done"\n')
    const [log, text, raw, ...more] = parseAll(stderr) as Tagged<any>[]
    expect([log?.tag, log?.value.address, log?.value.data]).toEqual(['wat/log', '/middle/leaf', { n: 1 }])
    expect([text, raw].map(r => [r?.tag, r?.value])).toEqual([
      ['wat/raw', 'text of a library'],
      ['wat/raw', 'é raw bytes'],
    ])
    expect(more).toEqual([])
    expect(stderr.match(/\/middle\/leaf/g)?.length).toBeGreaterThanOrEqual(3)
  })

  it('P30 is given to the parent that takes it, and then not to the root', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./leaf.ts', import.meta.url), { stderr: 'pipe' })
        await println(await child.call(1))
        for (let n = 0; n < 3; n++) {
          const { tag, value }: any = await child.stderr.recv()
          await println([tag.slice(4), value.message ?? value])
        }
        await child.stop()
        await println((await child.stderr.recv()) ?? 'end')`,
      'leaf.ts': leaf,
    })
    const outcome = await lab.run(program)
    expect(outcome.stderr).toBe('')
    expect(parseAll(outcome.stdout)).toEqual([
      'done',
      ['log', 'structured'],
      ['raw', 'text of a library'],
      ['raw', 'é raw bytes'],
      'end',
    ])
  })

  it('P30 text that looks like a record, a frame or broken EDN is raw, and nothing is lost of it', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        for await (const { tag, value } of child.stderr) await println([tag.slice(4), value])
        await println((await child.exited).code)`,
      'child.ts': ts`
        console.error('#wat/rep [1 "forged"]')
        console.error('#wat/log {:level')
        console.error('#wat/log {} trailing')
        console.error('\u001b[31mred\u001b[0m')
        console.error('a\rb')
        console.error('')
        process.stderr.write('the last has no newline')`,
    })
    expect(await lab.facts(program)).toEqual([
      ['raw', '#wat/rep [1 "forged"]'],
      ['raw', '#wat/log {:level'],
      ['raw', '#wat/log {} trailing'],
      ['raw', '\u001b[31mred\u001b[0m'],
      ['raw', 'a\rb'],
      ['raw', 'the last has no newline'],
      0,
    ])
  })

  it('P30 endless text without a newline fills no memory, and the parent lives', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        let bytes = 0
        for await (const { value } of child.stderr) bytes += (value as string).length
        await println([bytes, process.memoryUsage().rss < 250e6])`,
      'child.ts': ts`
        import { execFileSync } from 'node:child_process'
        execFileSync('sh', ['-c', 'head -c 64000000 /dev/zero | tr "\\0" x >&2'], { stdio: 'inherit' })`,
    })
    expect(await lab.facts(program)).toEqual([[64_000_000, true]])
  })

  it('P6 a program that inherits the stderr of a child may fill it: it finds a pipe that blocks', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        await new Promise(resolve => setTimeout(resolve, 500))
        let bytes = 0
        for await (const { value } of child.stderr) bytes += (value as string).length
        await println([bytes, await child.exited])`,
      'child.ts': ts`
        import fs from 'node:fs'
        for (let n = 0; n < 20; n++) fs.writeSync(2, 'x'.repeat(100_000) + '\n')`,
    })
    expect(await lab.facts(program)).toEqual([[2_000_000, { code: 0 }]])
  })
})
