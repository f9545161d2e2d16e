import { describe, expect, it, told, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

const family = (parent: string, child: string) => ({
  'parent.ts': ts`
    import { println, self, spawnProcess, WatError } from 'wat-vm'
    import { setTimeout as delay } from 'node:timers/promises'
    ${told}
    const url = new URL('./child.ts', import.meta.url)
    ${parent}`,
  'child.ts': ts`
    import { log, println, self, serve } from 'wat-vm'
    import { setTimeout as delay } from 'node:timers/promises'
    ${child}`,
})

describe('calls', () => {
  it('P26 are answered each with its own reply, pipelined and out of order', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<number, number>(url)
        const order: number[] = []
        const replies = await Promise.all(Array.from({ length: 20 }, (_, n) =>
          child.call(n).then(reply => (order.push(n), reply))))
        await println(replies)
        await println(order[0]! > 0 && order.length === 20)`,
        ts`await serve(async (n: number) => (await delay((20 - n) * 10), n))`,
      ),
    )
    expect(await lab.facts(program)).toEqual([Array.from({ length: 20 }, (_, n) => n), true])
  })

  it('P26 10,000 in one go are all answered', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<number, number>(url)
        const replies = await Promise.all(Array.from({ length: 10_000 }, (_, n) => child.call(n)))
        await println(replies.every((reply, n) => reply === n + 1))`,
        ts`await serve((n: number) => n + 1)`,
      ),
    )
    expect(await lab.facts(program)).toEqual([true])
  })

  it('P26 more than maxInFlight wait for a place; the child never sees more', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<number, number>(url, { maxInFlight: 4 })
        const seen = await Promise.all(Array.from({ length: 40 }, (_, n) => child.call(n)))
        await println(Math.max(...seen))`,
        ts`
        let now = 0
        await serve(async () => {
          const most = ++now
          await delay(5)
          now--
          return most
        })`,
      ),
    )
    expect(await lab.facts(program)).toEqual([4])
  })

  it('P26 a call that waits for its place can time out or be cancelled, and is never sent', async ({
    lab,
  }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url, { maxInFlight: 1 })
        await child.ready
        const slow = child.call('slow')
        const controller = new AbortController()
        const late = told(child.call('late', { timeout: 50 }))
        const dropped = told(child.call('dropped', { signal: controller.signal }))
        const last = child.call('seen')
        controller.abort()
        await println([(await late).code, (await dropped).code, await slow, await last])`,
        ts`
        const seen: string[] = []
        await serve(async body => {
          seen.push(body)
          if (body === 'slow') await delay(400)
          return [...seen]
        })`,
      ),
    )
    expect(await lab.facts(program)).toEqual([['timeout', 'cancelled', ['slow'], ['slow', 'seen']]])
  })

  it('P26 calls over what may wait reject with `overloaded`', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      const child = spawnProcess(self.args[0])
      const codes: Record<string, number> = {}
      for (let n = 0; n < 70_000; n++) child.call(n).catch(error => (codes[error.code] = (codes[error.code] ?? 0) + 1))
      await child.stdin.send('go')
      await child.stdout.recv()
      await child.kill()
      await println(codes)`)
    const [codes] = await lab.facts(program, { args: [fixture('stuck.ts')] })
    expect(codes.overloaded).toBeGreaterThan(1000)
    expect(codes.overloaded + codes.offline).toBe(70_000)
  })

  it('P27 a timeout rejects in time with code and data, and aborts request.signal in the child', async ({
    lab,
  }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        await child.ready
        const started = performance.now()
        const outcome = await told(child.call('slow', { timeout: 200 }))
        const took = performance.now() - started
        await println([outcome.code, outcome.data, outcome.address, took >= 190 && took < 2000])
        await println(await child.call('aborted'))`,
        ts`
        let aborted: any
        await serve(async (body, { signal }) => {
          if (body === 'aborted') return await aborted
          aborted = new Promise(resolve => signal.addEventListener('abort', () => resolve([signal.aborted, signal.reason.code])))
          await aborted
          throw new Error('too late for anybody')
        })`,
      ),
    )
    const [timeout, aborted] = await lab.facts(program)
    expect(timeout).toEqual(['timeout', { timeout: 200 }, '/child', true])
    // The caller's cancel and the deadline of the child's own clock are on their way at the same time.
    expect([
      [true, 'cancelled'],
      [true, 'timeout'],
    ]).toContainEqual(aborted)
  })

  it('P27 an aborted signal rejects with `cancelled` and its reason as the cause', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        const controller = new AbortController()
        const pending = child.call('slow', { signal: controller.signal })
        await child.call('other')
        controller.abort(new Error('changed my mind'))
        await pending.catch(error => println([error instanceof WatError, error.code, error.cause.message]))
        await child.call(1, { signal: AbortSignal.abort() }).catch(error => println(error.code))
        await println((await child.call('other')) > 0)`,
        ts`
        let aborted = 0
        await serve((body, { signal }) => {
          if (body === 'other') return aborted
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason, aborted++)))
        })`,
      ),
    )
    expect(await lab.facts(program)).toEqual([[true, 'cancelled', 'changed my mind'], 'cancelled', true])
  })

  it('P27 the death of the caller aborts what it asked for', async ({ lab }) => {
    const program = lab.program({
      ...family(
        ts`
        const child = spawnProcess(url)
        void child.call(self.args[0]).catch(() => {})
        await child.stdout.recv()
        await println('asked')
        process.kill(process.pid, 'SIGKILL')`,
        ts`
        import { writeFileSync } from 'node:fs'
        await serve(async (file: string, { signal }) => {
          await println('begun')
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          writeFileSync(file, signal.reason.code)
        })`,
      ),
    })
    const file = `${program}.txt`
    const outcome = await lab.run(program, { args: [file] })
    expect(outcome.signal).toBe('SIGKILL')
    await lab.noSurvivors()
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(file, 'utf8')).toBe('offline')
  })

  it('P27 a timeout of Infinity, 0 and a huge number mean what they say', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        await child.ready
        await println([
          await child.call(1, { timeout: Infinity }),
          await child.call(2, { timeout: 2 ** 40 }),
          (await told(child.call(3, { timeout: 0 }))).code,
          await child.call(4, { timeout: undefined, signal: undefined }),
        ])`,
        ts`await serve(async n => (await delay(20), n))`,
      ),
    )
    expect(await lab.facts(program)).toEqual([[1, 2, 'timeout', 4]])
  })

  it('P28 a fault keeps message, code, data, address, stack and causes over three edges', async ({ lab }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess, WatError } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url))
        const error: any = await middle.call('fail').catch(error => error)
        const chain: any[] = []
        for (let e: any = error; e; e = e.cause) chain.push([e.code, e.message, e.address ?? 'none', e.data ?? null])
        await println(chain)
        await println([error instanceof WatError, /leaf\.ts/.test(error.cause.stack), /middle\.ts/.test(error.stack)])
        await println(await middle.call('fine'))`,
      'middle.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const leaf = spawnProcess(new URL('./leaf.ts', import.meta.url))
        await serve(async body => {
          try {
            return await leaf.call(body)
          } catch (cause) {
            throw new Error('middle failed', { cause })
          }
        })`,
      'leaf.ts': ts`
        import { serve } from 'wat-vm'
        await serve(body => {
          if (body === 'fine') return 'works'
          throw Object.assign(new RangeError('leaf failed', { cause: new Error('deep down') }), { code: 'E_LEAF' })
        })`,
    })
    const [chain, kinds, fine] = await lab.facts(program)
    expect(chain).toEqual([
      ['handler', 'middle failed', '/middle', null],
      ['handler', 'leaf failed', '/middle/leaf', { name: 'RangeError', code: 'E_LEAF' }],
      ['handler', 'deep down', '/middle/leaf', null],
    ])
    expect(kinds).toEqual([true, true, true])
    expect(fine).toBe('works')
  })

  it('P28 a WatError that a handler throws keeps its code', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        await println(await told(child.call(1)))`,
        ts`
        import { WatError } from 'wat-vm'
        await serve(() => { throw new WatError('denied', 'not for you', { data: { why: [1] } }) })`,
      ),
    )
    const [outcome] = await lab.facts(program)
    expect(outcome).toEqual({ code: 'denied', message: 'not for you', address: '/child', data: { why: [1] } })
  })

  it('P26 a call to a child that does not serve rejects with `no-handler`', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        await println((await told(child.call(1))).code)
        await child.stdin.send('end')
        await println(await child.exited)`,
        ts`import { readln } from 'wat-vm'; void readln()`,
      ),
    )
    expect(await lab.facts(program)).toEqual(['no-handler', { code: 0 }])
  })

  it('P26 plain values go both ways beside calls, in order', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        for (let n = 0; n < 100; n++) void child.stdin.send(n)
        await println(await child.call('call'))
        const seen = []
        for (let n = 0; n < 100; n++) seen.push(await child.stdout.recv())
        await println(seen.every((value, n) => value === n))
        await child.stdin.end()
        await println((await child.stdout.recv()) ?? 'end')`,
        ts`await serve(body => body)`,
      ),
    )
    expect(await lab.facts(program)).toEqual(['call', true, 'end'])
  })

  it('P26 calls made before the child is up are sent when it is', async ({ lab }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        await println([child.pid === undefined, await child.call('early'), typeof child.pid])`,
        ts`await delay(200); await serve(body => body)`,
      ),
    )
    expect(await lab.facts(program)).toEqual([[true, 'early', 'number']])
  })

  it('P28 a reply that EDN cannot carry rejects with `encode`; so does a body, without being sent', async ({
    lab,
  }) => {
    const program = lab.program(
      family(
        ts`
        const child = spawnProcess<any, any>(url)
        const body = await told(child.call({ f: () => {} }))
        await println([body.code, body.data])
        const reply = await told(child.call('function'))
        await println([reply.code, reply.data, reply.address])
        await println(await child.call('fine'))`,
        ts`await serve(body => body === 'function' ? { g: [() => {}] } : body)`,
      ),
    )
    expect(await lab.facts(program)).toEqual(
      [['encode', { path: '$[1].f' }], ['encode', { path: '$.g[0]' }, '/child'], 'fine'].map((fact, n) =>
        n === 0 ? ['encode', { path: expect.stringContaining('.f') }] : fact,
      ),
    )
  })
})
