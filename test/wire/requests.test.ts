import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('requests by hand', () => {
  it('P15 a request from the shell gets its reply as a frame, a plain value its answer as one', async ({
    lab,
  }) => {
    const outcome = await lab.run(fixture('double.ts'), {
      input: '#wat/req [1 21] 5 #wat/req [7 1 {:trace "x"}]',
    })
    expect(outcome).toEqual({
      code: 0,
      signal: null,
      stdout: '#wat/rep [1 42]\n10\n#wat/rep [7 2]\n',
      stderr: '',
    })
  })

  it('P26 replies come in the order in which they are ready', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      let release = () => {}
      const second = new Promise<void>(resolve => (release = resolve))
      await serve(async n => (n === 1 ? await second : release(), n))`)
    const outcome = await lab.run(program, { input: '#wat/req [1 1] #wat/req [2 2]' })
    expect(outcome.stdout).toBe('#wat/rep [2 2]\n#wat/rep [1 1]\n')
  })

  it('P27 a cancel frame aborts the signal of its request, and no reply follows', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, serve } from 'wat-vm'
      await serve((body, { signal, id }) => new Promise((resolve, reject) => {
        if (body === 'quick') return resolve(body)
        signal.addEventListener('abort', () => {
          log.info('aborted', { id, code: signal.reason.code })
          reject(signal.reason)
        })
      }))`)
    const live = lab.start(program)
    live.write('#wat/req [1 "slow"] #wat/req [2 "slow"] #wat/cancel [1]\n')
    expect(await live.stderr.line()).toContain(':data {:id 1 :code "cancelled"}')
    live.write('#wat/cancel [2] #wat/req [3 "quick"]')
    const outcome = await live.end()
    expect(outcome).toMatchObject({ code: 0, stdout: '#wat/rep [3 "quick"]\n' })
    expect(outcome.stderr.trim().split('\n')).toHaveLength(2)
  })

  it('P27 a cancel of a request that is unknown, answered or not yet begun does no harm', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(async n => n, { concurrency: 1 })`)
    const input =
      '#wat/cancel [9] #wat/req [1 1] #wat/req [2 2] #wat/cancel [2] #wat/cancel [1] #wat/req [3 3]'
    const outcome = await lab.run(program, { input })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout).not.toContain('[2 ')
    expect(outcome.stdout).toContain('#wat/rep [3 3]')
  })

  it('P28 a request whose handler throws gets the fault, and the next one is served', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve((n: number) => {
        if (n === 1) throw new RangeError('one is too few', { cause: new Error('the root of it') })
        return n
      })`)
    const outcome = await lab.run(program, { input: '#wat/req [1 1] #wat/req [2 2]' })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    const [error, reply] = outcome.stdout.trim().split('\n')
    expect(error).toMatch(/^#wat\/err \[1 \{:type :wat\/handler :message "one is too few" /)
    expect(error).toContain(':address "/"')
    expect(error).toContain('the root of it')
    expect(error).toContain('program.ts:4:')
    expect(reply).toBe('#wat/rep [2 2]')
  })

  it('P15 a request to a program that does not serve is answered with `no-handler`', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln } from 'wat-vm'
      await println(await readln())`)
    const outcome = await lab.run(program, { input: '#wat/req [1 21] "plain"' })
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.stdout).toContain('"plain"\n')
    expect(outcome.stdout).toMatch(/#wat\/err \[1 \{:type :wat\/no-handler/)
  })

  it('P15 requests that came before `serve` was called are served', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await new Promise(resolve => setTimeout(resolve, 200))
      await serve(n => n)`)
    const outcome = await lab.run(program, { input: '1 #wat/req [1 2] 3' })
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.stdout.trim().split('\n').sort()).toEqual(['#wat/rep [1 2]', '1', '3'])
  })

  it('P15 a stop frame ends a process, also a root, in order', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, serve } from 'wat-vm'
      self.onStop(() => println('hook'))
      setInterval(() => {}, 1000)
      await serve(n => n)
      await println(self.signal.aborted)`)
    const live = lab.start(program)
    live.write('1\n')
    expect(await live.stdout.line()).toBe('1')
    live.write('#wat/stop {:grace-ms 2000}\n')
    expect(await live.ended).toMatchObject({ code: 0, signal: null, stdout: '1\ntrue\n"hook"\n', stderr: '' })
  })

  const odd = {
    'an unknown frame': '#wat/nope 1',
    'a request without an id': '#wat/req ["x" 1]',
    'a request with id 0': '#wat/req [0 1]',
    'a request with a negative id': '#wat/req [-1 1]',
    'a request with a fraction for id': '#wat/req [1.5 1]',
    'a request that is no vector': '#wat/req 7',
    'a request with too many elements': '#wat/req [1 2 {} 4]',
    'a cancel without an id': '#wat/cancel []',
    'a stop without a map': '#wat/stop 5',
    'a reply, from the side that asks': '#wat/rep [1 1]',
    'an error, from the side that asks': '#wat/err [1 {}]',
    'a ready, from the side that asks': '#wat/ready {}',
  }
  for (const [what, frame] of Object.entries(odd)) {
    it(`P11 ${what} is malformed; the next value is served`, async ({ lab }) => {
      const outcome = await lab.run(fixture('double.ts'), { input: `${frame}\n21\n` })
      expect(outcome).toMatchObject({ code: 65, signal: null })
      expect(outcome.stdout).toMatch(/(^|\n)42\n$/)
      expect(outcome.stderr).toMatch(/^#wat\/fault \{:type :wat\/malformed/)
    })
  }

  it('P15 a root writes no frame except an answer: neither ready nor anything else', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { log, println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await child.ready
        log.warn('careful')
        await println(await child.call(1))`,
      'child.ts': ts`import { serve } from 'wat-vm'; await serve(n => n)`,
    })
    expect(await lab.run(program)).toMatchObject({ code: 0, stdout: '1\n' })
  })

  it('P15 a child that is driven by hand says ready first, with protocol, pid and address', async ({
    lab,
  }) => {
    const live = lab.start(fixture('double.ts'), { env: { WAT_ADDRESS: '/a/double/2' } })
    expect(await live.stdout.line()).toBe(`#wat/ready {:protocol 1 :pid ${live.pid} :address "/a/double/2"}`)
    live.write('#wat/req [1 21]\n4\n')
    expect(await live.stdout.line()).toBe('#wat/rep [1 42]')
    expect(await live.stdout.line()).toBe('8')
    expect(await live.end()).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})
