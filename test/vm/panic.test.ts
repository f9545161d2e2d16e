import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'

const ways = {
  'an error thrown later': ts`setTimeout(() => { throw new TypeError('boom', { cause: new Error('why') }) })`,
  'an unhandled rejection': ts`void Promise.reject(new TypeError('boom', { cause: new Error('why') }))`,
  'a rejected top level': ts`await println(1); throw new TypeError('boom', { cause: new Error('why') })`,
}

describe('a panic', () => {
  for (const [way, source] of Object.entries(ways)) {
    it(`P20 ${way} is exit 2 and a record, the last on stderr, with stack and cause`, async ({ lab }) => {
      const program = lab.program(ts`
        import { log, println } from 'wat-vm'
        await new Promise(resolve => setTimeout(resolve, 50))
        log.info('before')
        ${source}
        setInterval(() => {}, 1000)`)
      const { code, stderr } = await lab.run(program)
      expect(code).toBe(2)
      const last = parseAll(stderr).at(-1) as Tagged<Record<string, any>>
      expect(last.tag).toBe('wat/panic')
      expect(last.value).toMatchObject({ message: 'boom', address: '/', data: { name: 'TypeError' } })
      expect(String(last.value.type)).toBe(':wat/handler')
      expect(last.value.stack).toContain('program.ts:5:')
      expect(last.value.cause).toMatchObject({ message: 'why' })
    })
  }

  it('P20 things thrown that are no errors are panics too, and told', async ({ lab }) => {
    const things = [
      "'text'",
      'undefined',
      'null',
      '0',
      '{ a: 1 }',
      "Symbol('s')",
      'Object.create(null)',
      '() => {}',
    ]
    for (const thing of things) {
      const outcome = await lab.run(lab.program(ts`setTimeout(() => { throw ${thing} }, 20)`))
      expect(outcome.code, thing).toBe(2)
      expect(outcome.stderr, thing).toMatch(/^#wat\/panic \{:type :wat\/handler :message "thrown: [^\n]*\n$/)
    }
  })

  it('P20 an error with getters that throw, a cycle of causes and data of its own is told as well', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      const error: any = new Error('odd')
      error.cause = error
      error.code = 'E_ODD'
      error.fn = () => {}
      setTimeout(() => { throw error }, 20)`)
    const outcome = await lab.run(program)
    expect(outcome.code).toBe(2)
    expect(outcome.stderr).toMatch(/^#wat\/panic \{.*"E_ODD"/)
    const worse = await lab.run(
      lab.program(ts`
      const error = new Error('x')
      Object.defineProperty(error, 'message', { get() { throw new Error('from the getter') } })
      Object.defineProperty(error, 'secret', { enumerable: true, get() { throw new Error('from the getter') } })
      setTimeout(() => { throw error }, 20)`),
    )
    expect(worse.code).toBe(2)
    expect(worse.stderr).toMatch(/^#wat\/panic /)
  })

  for (const [way, source] of Object.entries({
    'a throw': ts`throw new Error('boom')`,
    'an unhandled rejection': ts`void Promise.reject(new Error('boom'))`,
  })) {
    it(`P24 1 MB pending, then ${way}: all of it and the panic arrive`, async ({ lab }) => {
      const program = lab.program(ts`
        import { println } from 'wat-vm'
        setTimeout(() => {
          for (let n = 0; n < 1000; n++) println([n, 'x'.repeat(1000)])
          ${source}
        }, 20)`)
      const live = lab.start(program)
      live.pauseReading()
      expect(await live.stderr.match(/#wat\/panic/)).toContain('"boom"')
      live.resumeReading()
      const { code, stdout } = await live.ended
      expect(code).toBe(2)
      expect((parseAll(stdout) as [number][]).map(([n]) => n)).toEqual(
        Array.from({ length: 1000 }, (_, n) => n),
      )
    })
  }

  it('P24 the last words have no byte too few or too many, while somebody reads as fast as possible', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      setTimeout(() => {
        for (let n = 0; n < 1000; n++) println('x'.repeat(1000))
        throw new Error('boom')
      }, 20)`)
    for (let n = 0; n < 12; n++) {
      const { stdout } = await lab.sh('wat "$1" 2>/dev/null | wc -c', { args: [program] })
      expect(Number(stdout)).toBe(1003 * 1000)
    }
    for (let n = 0; n < 12; n++) expect((await lab.run(program)).stdout).toHaveLength(1003 * 1000)
  })

  it('P24 1 MB pending, then SIGTERM: all of it arrives', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, println } from 'wat-vm'
      for (let n = 0; n < 1000; n++) println([n, 'x'.repeat(1000)])
      log.info('printed')
      setInterval(() => {}, 1000)`)
    const live = lab.start(program)
    live.pauseReading()
    await live.stderr.match(/printed/)
    live.signal('SIGTERM')
    setTimeout(() => live.resumeReading(), 300)
    const { signal, stdout } = await live.ended
    expect(signal).toBe('SIGTERM')
    expect(parseAll(stdout)).toHaveLength(1000)
  })

  it('P24 a panic record is whole though the pipe of stderr is full', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, println } from 'wat-vm'
      setTimeout(async () => {
        for (let n = 0; n < 2000; n++) log.info('x'.repeat(1000))
        await println('full')
        throw new Error('y'.repeat(300_000))
      }, 20)`)
    const live = lab.start(program)
    live.pauseReading('stderr')
    expect(await live.stdout.line()).toBe('"full"')
    setTimeout(() => live.resumeReading('stderr'), 300)
    const { code, stderr } = await live.ended
    const records = parseAll(stderr) as Tagged<{ message: string }>[]
    expect([code, records.length, records.at(-1)?.tag]).toEqual([2, 2001, 'wat/panic'])
    expect(records.at(-1)?.value.message).toHaveLength(300_000)
  })

  it('P24 while last words wait for a reader who never comes, a signal still kills', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      setTimeout(() => {
        for (let n = 0; n < 1000; n++) println('x'.repeat(1000))
        throw new Error('boom')
      }, 20)`)
    const live = lab.start(program)
    live.pauseReading()
    await live.stderr.match(/#wat\/panic/)
    live.signal('SIGTERM')
    setTimeout(() => live.resumeReading(), 100)
    expect((await live.ended).signal).toBe('SIGTERM')
  })

  it('P36 a panic takes the subtree along, and what is not stuck runs its hooks', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url), { stopGrace: 1000 })
        await child.call(1)
        throw new Error('boom')`,
      'child.ts': ts`
        import { writeFileSync } from 'node:fs'
        import { self, serve } from 'wat-vm'
        self.onStop(() => writeFileSync(import.meta.dirname + '/hook', 'ran'))
        await serve(n => n)`,
    })
    const outcome = await lab.run(program)
    expect(outcome.code).toBe(2)
    await lab.noSurvivors(3500)
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(program.replace('parent.ts', 'hook'), 'utf8')).toBe('ran')
  })

  it('P20 a program may handle its own uncaught errors', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      const late = Promise.reject(new Error('handled in time'))
      late.catch(error => println(error.message))`)
    expect(await lab.run(program)).toMatchObject({ code: 0, stdout: '"handled in time"\n', stderr: '' })
  })
})
