import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

const serving = (handler: string) => ts`
  import { setTimeout } from 'node:timers/promises'
  import { self, serve } from 'wat-vm'
  await serve(${handler})`

describe('a serving program', () => {
  it('P17 answers every plain value with one plain value, and exits 0 at end of input', async ({ lab }) => {
    const outcome = await lab.run(fixture('double.ts'), { input: '21\n4 5' })
    expect(outcome).toEqual({ code: 0, signal: null, stdout: '42\n8\n10\n', stderr: '' })
  })

  it('P17 answers in the order of the values, however long each one takes', async ({ lab }) => {
    const program = lab.program(serving(ts`async (n: number) => (await setTimeout(100 - n * 10), n)`))
    const outcome = await lab.run(program, { input: '1 2 3 #wat/req [1 9] 4 5 6 7 8' })
    expect(outcome.code).toBe(0)
    expect(outcome.stdout.replace('#wat/rep [1 9]\n', '')).toBe('1\n2\n3\n4\n5\n6\n7\n8\n')
  })

  it('P17 finishes what is in flight after end of input', async ({ lab }) => {
    const program = lab.program(serving(ts`async (n: number) => (await setTimeout(300), n)`))
    expect(await lab.run(program, { input: '1\n#wat/req [1 2]' })).toEqual({
      code: 0,
      signal: null,
      stdout: '1\n#wat/rep [1 2]\n',
      stderr: '',
    })
  })

  it('P17 forty values in flight at end of input leave no warning behind', async ({ lab }) => {
    const program = lab.program(serving(ts`async (n: number) => (await setTimeout(100), n)`))
    const numbers = Array.from({ length: 40 }, (_, n) => `${n}\n`).join('')
    expect(await lab.run(program, { input: numbers })).toEqual({
      code: 0,
      signal: null,
      stdout: numbers,
      stderr: '',
    })
  })

  it('P17 handles no more at once than `concurrency` says, and all of them in the end', async ({ lab }) => {
    const program = lab.program(ts`
      import { setImmediate } from 'node:timers/promises'
      import { println, serve } from 'wat-vm'
      let now = 0, most = 0
      await serve(async () => {
        most = Math.max(most, ++now)
        await setImmediate()
        now--
        return 'done'
      }, { concurrency: 3 })
      await println(most)`)
    const facts = await lab.facts(program, { input: '1 '.repeat(50) })
    expect(facts).toEqual([...Array(50).fill('done'), 3])
  })

  it('P17 the rest of a long input waits unread while handlers are busy', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, self, serve } from 'wat-vm'
      let begun = 0
      await serve(() => {
        log.info('begun', ++begun)
        return new Promise(resolve => self.signal.addEventListener('abort', () => resolve(null)))
      }, { concurrency: 2 })`)
    const live = lab.start(program)
    live.write('1 '.repeat(100))
    await live.stderr.match(/:data 2\}/)
    live.signal('SIGTERM')
    const outcome = await live.ended
    expect(outcome).toMatchObject({ signal: 'SIGTERM', stdout: 'nil\nnil\n' })
    expect(outcome.stderr).not.toContain(':data 3}')
  })

  it('P17 a handler that gives nothing answers nil', async ({ lab }) => {
    const program = lab.program(serving(ts`() => {}`))
    expect(await lab.run(program, { input: '1 #wat/req [1 2]' })).toMatchObject({
      code: 0,
      stdout: 'nil\n#wat/rep [1 nil]\n',
    })
  })

  it('P17 the answer to a request has its id, also 0 values, null and false', async ({ lab }) => {
    const outcome = await lab.run(fixture('echo.ts'), {
      input: 'nil false 0 "" #wat/req [1 nil] #wat/req [2 false]',
    })
    expect(outcome.stdout).toBe('nil\nfalse\n0\n""\n#wat/rep [1 nil]\n#wat/rep [2 false]\n')
  })

  it('P21 a handler that throws on a plain value: fault, the next value is served, exit 1', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve((n: number) => {
        if (n === 2) throw new Error('not two')
        if (n === 3) return Promise.reject(new Error('not three'))
        return n
      })`)
    const outcome = await lab.run(program, { input: '1 2 3 4' })
    expect(outcome).toMatchObject({ code: 1, stdout: '1\n4\n' })
    const [two, three, ...more] = outcome.stderr.trim().split('\n')
    expect(two).toMatch(/^#wat\/fault \{:type :wat\/handler :message "not two" :address "\/" .*program\.ts:4/)
    expect(three).toMatch(/^#wat\/fault .*"not three"/)
    expect(more).toEqual([])
  })

  it('P21 whatever a handler throws is told: text, null, undefined, an object, an error in an error', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      const thrown = ['text', null, undefined, { a: 1 }, () => {}, Symbol('x'), 5n, Object.create(null), new AggregateError([1], 'many')]
      await serve((n: number) => { throw thrown[n] })`)
    const outcome = await lab.run(program, { input: '0 1 2 3 4 5 6 7 8' })
    expect(outcome).toMatchObject({ code: 1, stdout: '' })
    const faults = outcome.stderr.trim().split('\n')
    expect(faults).toHaveLength(9)
    for (const fault of faults) expect(fault).toMatch(/^#wat\/fault \{:type :wat\/handler :message "/)
    expect(faults[0]).toContain('text')
    expect(faults[8]).toContain('many')
  })

  it('P28 the same thrown values answer a request with a fault', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      const circular: any = new Error('circular')
      circular.cause = circular
      const thrown = ['text', null, undefined, { a: 1 }, () => {}, Symbol('x'), circular]
      await serve((n: number) => { throw thrown[n] })`)
    const input = Array.from({ length: 7 }, (_, n) => `#wat/req [${n + 1} ${n}]`).join(' ')
    const outcome = await lab.run(program, { input })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    for (let n = 0; n < 7; n++)
      expect(outcome.stdout).toMatch(new RegExp(`#wat/err \\[${n + 1} \\{:type :wat/handler`))
  })

  it('P4 an answer that EDN cannot carry is an `encode` fault with the path to the culprit', async ({
    lab,
  }) => {
    const program = lab.program(serving(ts`n => (n === 1 ? { a: [0, () => {}] } : n)`))
    const outcome = await lab.run(program, { input: '1 #wat/req [1 1] 2' })
    expect(outcome).toMatchObject({ code: 1 })
    expect(outcome.stdout).toMatch(/^#wat\/err \[1 \{:type :wat\/encode .*:path "\$\.a\[1\]".*\n2\n$/)
    expect(outcome.stderr).toMatch(/^#wat\/fault \{:type :wat\/encode .*:path "\$\.a\[1\]"/)
  })

  it('P17 only one may serve, and while it does nobody else reads', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, readln, serve } from 'wat-vm'
      ${told}
      await serve(async () => [(await told(readln())).code, (await told(serve(() => {}))).code])`)
    expect(await lab.run(program, { input: '1' })).toMatchObject({ stdout: '["denied" "denied"]\n', code: 0 })
  })

  it('P17 what `readln` took before is not served again, and the rest is', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln, serve } from 'wat-vm'
      await println(['header', await readln()])
      await serve(n => n)
      await println('end')`)
    expect(await lab.facts(program, { input: '1 2 3' })).toEqual([['header', 1], 2, 3, 'end'])
  })

  it('P17 options and handlers that make no sense are refused', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, serve } from 'wat-vm'
      for (const [handler, options] of [[5], [() => {}, { concurrency: 0 }], [() => {}, { concurrency: NaN }]] as any) {
        await serve(handler, options).catch(error => println(error.code))
      }`)
    expect(await lab.facts(program)).toEqual(['denied', 'denied', 'denied'])
  })

  it('P9 a root whose reader does not read takes no more input than it can answer', async ({ lab }) => {
    const live = lab.start(fixture('echo.ts'))
    live.pauseReading()
    const line = `"${'x'.repeat(1000)}"\n`.repeat(1000) // 1 MB
    let taken = 0
    let stuck: () => void
    const full = new Promise<void>(resolve => (stuck = resolve))
    const feed = async () => {
      for (; taken < 200; taken++) {
        const timer = setTimeout(() => stuck(), 1500)
        await live.writeAll(line)
        clearTimeout(timer)
      }
    }
    const fed = feed()
    await full
    expect(taken).toBeLessThan(60)
    live.resumeReading()
    await fed
    const { stdout, code } = await live.end()
    expect([code, stdout.length]).toEqual([0, line.length * 200])
  })
})
