import { parseAll, type Keyword, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'

type RecordForm = Tagged<Record<string, any>>

describe('stderr', () => {
  it('P19 log writes one record a line, with level, time, address, pid, message and data', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { log } from 'wat-vm'
      log.debug('d')
      log.info('two\nlines', { a: [1, 'é 😀'] })
      log.warn('w', null)
      log.error('e', new TypeError('wrong', { cause: new Error('why') }))`)
    const live = lab.start(program)
    const { stderr, stdout } = await live.end()
    expect(stdout).toBe('')
    expect(stderr.trim().split('\n')).toHaveLength(4)
    const records = parseAll(stderr) as RecordForm[]
    expect(records.map(r => [r.tag, (r.value.level as Keyword).name, r.value.message])).toEqual([
      ['wat/log', 'debug', 'd'],
      ['wat/log', 'info', 'two\nlines'],
      ['wat/log', 'warn', 'w'],
      ['wat/log', 'error', 'e'],
    ])
    for (const { value } of records) {
      expect(value).toMatchObject({ address: '/', pid: live.pid })
      expect(Math.abs(value.at.getTime() - Date.now())).toBeLessThan(60_000)
    }
    expect(records[0]?.value).not.toHaveProperty('data')
    expect(records[1]?.value.data).toEqual({ a: [1, 'é 😀'] })
    expect(records[2]?.value.data).toBe(null)
    expect(records[3]?.value.data).toMatchObject({ message: 'wrong', cause: { message: 'why' } })
  })

  it('P19 data that EDN cannot carry is written as text; log never throws', async ({ lab }) => {
    const program = lab.program(ts`
      import { log } from 'wat-vm'
      import { Tagged } from 'wat-vm/edn'
      const cycle: any = { name: 'cycle' }
      cycle.self = cycle
      const hostile = { get a() { throw new Error('getter') } }
      for (const data of [() => {}, Symbol('s'), cycle, new WeakMap(), new Tagged('wat/panic', {}), hostile]) log.info('x', data)
      log.info(undefined as any)
      log.info(5 as any, 1)`)
    const { code, stderr } = await lab.run(program)
    expect(code, stderr).toBe(0)
    const records = parseAll(stderr) as RecordForm[]
    expect(records.map(r => r.tag)).toEqual(Array(8).fill('wat/log'))
    expect(records[2]?.value.data).toContain('cycle')
  })

  it('P19 a warning of Node appears as a record, and nothing of ours warns', async ({ lab }) => {
    const program = lab.program(
      ts`
      process.emitWarning('careful', 'DeprecationWarning', 'DEP_X')
      new (require('node:events').EventEmitter)().setMaxListeners(1)`.replace(/\n\s*new.*/, ''),
    )
    const { code, stderr } = await lab.run(program)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^#wat\/log \{:level :warn [^\n]*careful[^\n]*\}\n$/)
  })

  it('P19 records and console output do not mix within a line', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const tags: Record<string, number> = {}
        for await (const { tag } of child.stderr) tags[tag.slice(4)] = (tags[tag.slice(4)] ?? 0) + 1
        await println(tags)`,
      'child.ts': ts`
        import { log } from 'wat-vm'
        for (let n = 0; n < 400; n++) {
          console.error('x'.repeat(1500))
          log.info('y'.repeat(1500))
        }`,
    })
    expect(await lab.facts(program)).toEqual([{ raw: 400, log: 400 }])
  })

  it('P19 a record behind text that has no newline is still a record', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        for await (const { tag } of child.stderr) await println(tag.slice(4))
        await println((await child.exited).panic?.message ?? 'no panic')`,
      'child.ts': ts`
        import { log } from 'wat-vm'
        await new Promise(resolve => setTimeout(resolve, 50))
        process.stderr.write('50 % … ')
        log.info('half way')
        process.stdout.write('75 % … ')
        throw new Error('boom')`,
    })
    expect(await lab.facts(program)).toEqual(['raw', 'log', 'raw', 'panic', 'boom'])
  })
})
