import { describe, expect, it, told, ts } from '../support/lab.ts'

/** Two processes in a row; what the last one sees of a request. */
const chain = ts`
  import { self, serve, spawnProcess } from 'wat-vm'
  if (self.args[0] === 'last') {
    const seen: any[] = []
    await serve((x: unknown, request: any) => {
      if (x === 'seen') return seen
      const left = request.deadline === undefined ? null : request.deadline - Date.now()
      if (x === 'tell') return { meta: request.meta, left }
      return new Promise(() => request.signal.addEventListener('abort', () => seen.push(request.signal.reason.code)))
    })
  } else {
    const last = spawnProcess<any, any>(import.meta.filename, { name: 'last', args: ['last'] })
    // By hand, as a program does that changes the body on the way.
    await serve((x: any, request) => last.call(x, request))
  }`

const prelude = ts`
  import { println, ref, spawnProcess } from 'wat-vm'
  ${told}
  const child = spawnProcess<any, any>(new URL('./chain.ts', import.meta.url), { name: 'c' })
`

const files = (main: string) => ({ 'main.ts': prelude + main, 'chain.ts': chain })

describe('what a request carries', () => {
  it('P88 meta and the time that is left go on with child.call(x, request)', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(
        files(ts`
        const trace = { id: 'a', tags: [1, { b: null }] }
        const { meta, left } = await child.call('tell', { timeout: 5000, meta: trace })
        await println([meta, left > 0 && left <= 5000])
        const soon = await child.call('tell', { deadline: Date.now() + 3000, timeout: 60_000 })
        await println([soon.meta, soon.left > 0 && soon.left <= 3000])
        await println(await child.call('tell'))
        await println(await child.call('tell', { meta: {}, timeout: Infinity }))
        await child.stop()`),
      ),
    )
    expect(facts).toEqual([
      [{ id: 'a', tags: [1, { b: null }] }, true],
      [{}, true],
      { meta: {}, left: null },
      { meta: {}, left: null },
    ])
  })

  it('P88 a cancel, a timeout and a deadline reach the last of them', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(
        files(ts`
        const aborting = new AbortController()
        const calls = [
          child.call('wait', { signal: aborting.signal }),
          child.call('wait', { timeout: 100 }),
          child.call('wait', { deadline: Date.now() + 100 }),
          child.call('wait', { deadline: Date.now() - 5 }),
        ].map(told)
        await child.call('tell')
        aborting.abort()
        await println((await Promise.all(calls)).map((error: any) => error.code))
        let seen: string[] = []
        while (seen.length < 3) seen = await child.call('seen')
        await println(seen.every(code => code === 'cancelled' || code === 'timeout'))
        await child.stop()`),
      ),
    )
    expect(facts).toEqual([['cancelled', 'timeout', 'timeout', 'timeout'], true])
  })

  it('P88 options that make no sense are denied, and nothing is sent', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(
        files(ts`
        for (const options of [{ deadline: NaN }, { deadline: 'soon' }, { meta: 5 }, { meta: new Map() }, { meta: [1] }, { timeout: '5' }] as any[])
          await println((await told(child.call('tell', options)) as any).code)
        await println((await told(child.call('tell', { meta: { f() {} } })) as any).code)
        await child.stop()`),
      ),
    )
    expect(facts).toEqual([...Array.from({ length: 6 }, () => 'denied'), 'encode'])
  })

  it('P88 a handler answers early and works on; a second answer is denied, a late error is told', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(async (x: string, request) => {
        request.reply(['early', x])
        try { request.reply(1) } catch (error: any) { console.error('second: ' + error.code) }
        if (x === 'sync') return 'ignored'
        await null
        throw new Error('too late for ' + x)
      })`)
    const { stdout, stderr, code } = await lab.run(program, {
      input: '#wat/req [1 "sync"] #wat/req [2 "later"] "plain"',
    })
    expect(stdout.split('\n').sort()).toEqual([
      '',
      '#wat/rep [1 ["early" "sync"]]',
      '#wat/rep [2 ["early" "later"]]',
      '["early" "plain"]',
    ])
    expect(stderr.match(/second: denied/g)).toHaveLength(3)
    expect(stderr.match(/:message "too late for (later|plain)"/g)).toHaveLength(2)
    expect(code).toBe(0)
  })

  it('P88 a late error of what a connection is served with is told, too', async ({ lab }) => {
    const program = lab.program(ts`
      import { connect, listen, println } from 'wat-vm'
      const secret = new Uint8Array(32)
      const server = await listen('tcp://127.0.0.1:0', async (x: string, request) => {
        request.reply('early ' + x)
        throw new Error('too late for ' + x)
      }, { secret })
      const client = connect<string, string>(server.address, { secret })
      await println(await client.call('you'))
      await client.stop()
      await server.close()`)
    const { stdout, stderr, code } = await lab.run(program)
    expect({ stdout, code }).toEqual({ stdout: '"early you"\n', code: 0 })
    expect(stderr.match(/:message "too late for you"/g)).toHaveLength(1)
  })

  it('P93 an error that nobody has answered carries what was asked, and does not send it on', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program(
        files(ts`
        const wait = { op: 'wait' }
        const failed = (promise: Promise<any>) => promise.catch((error: any) => error)
        const late = await failed(child.call(wait, { timeout: 30, meta: { n: 1 } }))
        await println([late.request, late.request.body === wait, Object.keys(late).includes('request')])
        await println(JSON.stringify(await (await import('wat-vm/edn')).stringify(late)).includes('request'))
        const own = ref(() => new Promise(() => {}))
        await println((await failed(own.call('x', { timeout: 5 }))).request)
        const handled = ref(() => { throw new Error('no') })
        await println([(await failed(handled.call('x'))).request])
        const pending = failed(child.call('wait'))
        await child.kill()
        await println([(await pending).request, (await failed(child.call('again'))).request])`),
      ),
    )
    expect(facts).toEqual([
      [{ body: { op: 'wait' }, meta: { n: 1 } }, true, false],
      false,
      { body: 'x' },
      [null],
      [{ body: 'wait' }, { body: 'again' }],
    ])
  })
})
