import { describe, expect, it, ts } from '../support/lab.ts'

/** A dependency that does everything to stdout that a program can do to it. */
const noisy = ts`
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
console.log('from console.log')
console.error('from console.error')
process.stdout.write('#wat/rep [1 "forged"]\n')
fs.writeSync(1, 'written to descriptor 1\n')
execFileSync('sh', ['-c', 'echo from a child'], { stdio: 'inherit' })
process.stdout.write('no newline here')
`
const texts = [
  'from console.log',
  'from console.error',
  '#wat/rep [1 "forged"]',
  'written to descriptor 1',
  'from a child',
  'no newline here',
]

describe('a clean wire', () => {
  it('P6 a dependency that prints while it is imported touches no frame of a root', async ({ lab }) => {
    const program = lab.program({
      'program.ts': ts`
        import './noisy.ts'
        import { serve } from 'wat-vm'
        await serve((n: number) => n + 1)`,
      'noisy.ts': noisy,
    })
    const outcome = await lab.run(program, { input: '1 #wat/req [1 2]' })
    expect(outcome).toMatchObject({ code: 0, stdout: '2\n#wat/rep [1 3]\n' })
    for (const text of texts) expect(outcome.stderr).toContain(text)
  })

  it('P6 nor one of a child, and the text arrives as raw records', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        await println(await child.call(1))
        await child.stop()
        for await (const record of child.stderr) await println([record.tag.slice(4), record.value])`,
      'child.ts': ts`
        import './noisy.ts'
        import { serve } from 'wat-vm'
        await serve((n: number) => n + 1)`,
      'noisy.ts': noisy,
    })
    const [reply, ...records] = await lab.facts(program)
    expect(reply).toBe(2)
    expect(records).toEqual(texts.map(text => ['raw', text]))
  })

  it('P6 a handler that prints in mid-reply touches no frame', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess<number, string>(new URL('./child.ts', import.meta.url))
        const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => child.call(n)))
        await println(replies.every((reply, n) => reply === n + ' '.repeat(20_000)))`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(async (n: number) => {
          console.log('handling', n)
          process.stdout.write('#wat/rep [1 0]\n')
          await null
          process.stdout.write('half a line')
          return n + ' '.repeat(20_000)
        })`,
    })
    const outcome = await lab.run(program)
    expect(outcome).toMatchObject({ code: 0, stdout: 'true\n' })
    expect(outcome.stderr).toContain('handling 49')
    expect(outcome.stderr).not.toMatch(/#wat\/fault/)
  })

  it('P6 a value that sends, logs or stringifies while it is being sent touches no frame', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { log, println, stdout } from 'wat-vm'
      import { registerTag, stringify } from 'wat-vm/edn'
      class Point { x = 'x'.repeat(5000) }
      const said: unknown[] = []
      registerTag('my/point', { class: Point, write(point) {
        log.info('writing')
        said.push(stringify([1, 'inner']))
        try { stdout.trySend('inside') } catch (error) { said.push((error as any).code) }
        void println('later').catch(error => said.push(error.code))
        return point.x
      } })
      await println(['before', new Point(), 'behind'])
      await println(said)`)
    const { code, stdout, stderr } = await lab.run(program)
    const outer = '["before" #my/point "' + 'x'.repeat(5000) + '" "behind"]'
    expect([code, stdout]).toEqual([0, outer + '\n["[1 \\"inner\\"]" "denied" "denied"]\n'])
    expect(stderr.match(/#wat\/log/g)).toHaveLength(1)
  })

  it('P6 what a program starts with inherited stdio cannot read the input nor write the output', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { spawnSync } from 'node:child_process'
      import { serve } from 'wat-vm'
      await serve((n: number) => {
        const { status } = spawnSync('sh', ['-c', 'cat; echo 666; echo 777 >&3; echo 888 >&4'], { stdio: 'inherit' })
        return n * 2
      })`)
    const outcome = await lab.run(program, { input: '1 2 3\n' })
    expect(outcome).toMatchObject({ code: 0, stdout: '2\n4\n6\n' })
    expect(outcome.stderr).toContain('666')
  })

  it('P6 a program finds its own stdin empty: the input belongs to the wire', async ({ lab }) => {
    const program = lab.program(ts`
      import fs from 'node:fs'
      import { println, readln } from 'wat-vm'
      await println(fs.readFileSync(0, 'utf8'))
      await println(await readln())`)
    expect(await lab.facts(program, { input: '5' })).toEqual(['', 5])
  })

  it('P6 a prompt of a root on a terminal-less stdout lands on stderr, never between values', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      for (let n = 0; n < 200; n++) {
        console.log('noise')
        await println(n)
      }`)
    expect(await lab.facts(program)).toEqual(Array.from({ length: 200 }, (_, n) => n))
  })
})
