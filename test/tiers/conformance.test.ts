import { describe, expect, it as inLab, ts, type Lab } from '../support/lab.ts'
import { tierModule, tiers, type Tier } from './tiers.ts'

/** The same program, with the same outcome, wherever what it spawns runs. */
describe.each(tiers)('a program in $name', tier => {
  const it = inLab.skipIf(Boolean(tier.missing))

  it('P48 answers calls: pipelined, out of order, with every value whole', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { name: 'leaf' })
        await child.ready
        const order: number[] = []
        const late = [30, 0, 10].map(ms => child.call({ ms }).then(reply => { order.push(ms); return reply }))
        await println([await Promise.all(late), order])
        await println((await Promise.all(Array.from({ length: 1000 }, (_, n) => child.call({ n })))).every((reply, n) => reply.n === n))
        const value = { text: 'ünï ☃ \u0000', big: 2n ** 80n, bytes: new Uint8Array([0, 255]), list: [null, true, 1.5], when: new Date(0) }
        await println(await child.call(value))
        await println((await child.call({ long: 'x'.repeat(2_000_000) })).long.length)
        await println([child.name, child.address, ended(await child.stop())])`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve(async (body: any) => { if (body.ms !== undefined) await new Promise(r => setTimeout(r, body.ms)); return body })`,
    })
    expect(facts[0]).toEqual([
      [{ ms: 30 }, { ms: 0 }, { ms: 10 }],
      [0, 10, 30],
    ])
    expect(facts[1]).toBe(true)
    expect(facts[2]).toEqual({
      text: 'ünï ☃ \u0000',
      big: 2n ** 80n,
      bytes: new Uint8Array([0, 255]),
      list: [null, true, 1.5],
      when: new Date(0),
    })
    expect(facts.slice(3)).toEqual([2_000_000, ['leaf', '/leaf', { code: 0 }]])
  })

  it('P48 fails calls with the fault of the handler, and tells it of a cancel and a timeout', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        // What waits for ever is cut off at the end.
        const child = spawn(new URL('./child.ts', import.meta.url), { stopGrace: 200 })
        await println(await child.call('throw').catch(told))
        const controller = new AbortController()
        const cancelled = child.call('wait', { signal: controller.signal }).catch(told)
        await child.call('begun')
        controller.abort()
        await println([(await cancelled).code, (await child.call('wait', { timeout: 50 }).catch(told)).code])
        await println(await child.call('aborted'))
        await println((await child.call(1, { timeout: 5000 }).catch(told)).code)
        await child.stop()`,
      'child.ts': ts`
        import { serve, WatError } from 'wat-vm'
        let aborted = 0
        const two = Promise.withResolvers<void>()
        await serve((body: string, request) => {
          if (body === 'throw') throw new WatError('denied', 'not that', { data: { n: 1 }, cause: new Error('why') })
          if (body === 'begun') return 'yes'
          if (body === 'aborted') return two.promise.then(() => aborted)
          if (body !== 'wait') throw new TypeError('no text')
          return new Promise(() => request.signal.addEventListener('abort', () => { if (++aborted === 2) two.resolve() }))
        })`,
    })
    expect(facts[0]).toMatchObject({
      code: 'denied',
      message: 'not that',
      address: '/child',
      cause: { message: 'why' },
    })
    expect(facts.slice(1)).toEqual([['cancelled', 'timeout'], 2, 'handler'])
  })

  it('P48 takes and prints plain values in order, and ends with its input', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { args: ['one', 'tw o'], env: { GIVEN: 'yes ü' } })
        await println(await child.stdout.recv())
        const reading = (async () => { let sum = 0; for await (const n of child.stdout) sum += n as number; return sum })()
        for (let n = 1; n <= 5000; n++) await child.stdin.send(n)
        await child.stdin.end()
        await println([await reading, ended(await child.exited)])`,
      'child.ts': ts`
        import { println, self, stdin } from 'wat-vm'
        await println([self.name, self.address, self.args, process.env.GIVEN, Object.keys(process.env).filter(name => name.startsWith('WAT_'))])
        for await (const n of stdin) await println(n)`,
    })
    expect(facts).toEqual([
      ['child', '/child', ['one', 'tw o'], 'yes ü', []],
      [12_502_500, { code: 0 }],
    ])
  })

  it('P48 makes a sender wait that is faster than it reads', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url))
        await child.ready
        const block = 'x'.repeat(64 * 1024)
        let sent = 0
        while (child.stdin.trySend(block) === 'sent' || (await new Promise(r => setTimeout(r, 100)), child.stdin.trySend(block) === 'sent')) sent++
        await println(sent < 100)
        await println(await child.call('read'))
        await child.stdin.send(block)
        await println(ended(await child.stop()))`,
      'child.ts': ts`
        import { readln } from 'wat-vm'
        import * as wat from 'wat-vm'
        await new Promise(resolve => setTimeout(resolve, 700))
        await wat.serve((body: string) => body.length)`,
    })
    expect(facts).toEqual([true, 4, { code: 0 }])
  })

  it('P48 tells how it ended: code, panic with its causes, and what a load that fails was', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const seven = spawn(new URL('./child.ts', import.meta.url), { args: ['exit'] })
        const pending = seven.call(1).catch(told)
        await println([ended(await seven.exited), (await pending).code, (await pending).exit])
        const late = spawn(new URL('./child.ts', import.meta.url), { args: ['panic'], stderr: 'pipe' })
        await println(ended(await late.exited))
        const bad = spawn(new URL('./bad.ts', import.meta.url), { stderr: 'pipe' })
        await println([(await bad.ready.catch(told)).code, (await bad.exited).code])`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        if (self.args[0] === 'panic') setTimeout(() => { throw new Error('end', { cause: new RangeError('begin') }) }, 100)
        await serve(() => process.exit(7))`,
      'bad.ts': ts`throw new Error('at load'`,
    })
    expect(facts[0]).toEqual([{ code: 7 }, 'offline', { code: 7 }])
    expect(facts[1]).toMatchObject({
      code: 2,
      panic: { code: 'handler', message: 'end', address: '/child', cause: { message: 'begin' } },
    })
    expect(facts[2][0]).toBe('offline')
  })

  it('P48 says everything before it ends, also to whoever reads late', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const exit = await child.exited
        let length = 0
        let end: any
        try { for await (const text of child.stdout) length += (text as string).length } catch (error) { end = told(error) }
        const records = []
        for await (const record of child.stderr) records.push(record.tag)
        await println([length, ended(exit), records, end.cause.message])`,
      'child.ts': ts`
        import { log, println } from 'wat-vm'
        for (let n = 0; n < 40; n++) void println('x'.repeat(100_000))
        log.info('last', { words: 1 })
        console.log('as text')
        setTimeout(() => { throw new Error('late') }, 100)`,
    })
    expect(facts[0]).toMatchObject([
      4_000_000,
      { code: 2, panic: { message: 'late' } },
      ['wat/log', 'wat/raw', 'wat/panic'],
      'late',
    ])
  })

  it('P48 P69 tells behind the last value that its source died; one that ended, or that we ended, just ends', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const read = async (child: any) => {
          const seen: unknown[] = []
          try { for await (const value of child.stdout) seen.push(value); seen.push('end') }
          catch (error) { const { code, exit, cause } = told(error); seen.push(code, exit, cause?.message) }
          return seen
        }
        const start = (how: string) => spawn(new URL('./child.ts', import.meta.url), { args: [how], stderr: 'pipe' })
        for (const how of ['exit', 'panic', 'done']) await println(await read(start(how)))
        const signalled = start('stay')
        await signalled.stdout.recv()
        signalled.signal('SIGKILL')
        await println(await read(signalled))
        for (const end of ['stop', 'kill'] as const) {
          const ours = start('stay')
          await ours.stdout.recv()
          await Promise.all([ours[end](), read(ours).then(println)])
        }
        const late = start('exit')
        await late.exited
        await late.stop()
        await println(await read(late))
        await println(await read(late))`,
      'child.ts': ts`
        import { println, self } from 'wat-vm'
        await println(1)
        if (self.args[0] !== 'stay') void println(2)
        if (self.args[0] === 'exit') process.exit(3)
        if (self.args[0] === 'panic') throw new Error('oh')
        if (self.args[0] === 'stay') setInterval(() => {}, 1000)`,
    })
    expect(facts).toEqual([
      [1, 2, 'offline', { code: 3 }, null],
      [1, 2, 'offline', { code: 2 }, 'oh'],
      [1, 2, 'end'],
      ['offline', { signal: 'SIGKILL' }, null],
      ['end'],
      ['end'],
      [1, 2, 'offline', { code: 3 }, null],
      ['offline', { code: 3 }, null],
    ])
  })

  it('P48 stops in order, hooks and all; what is stuck is killed in time', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url))
        await child.ready
        const answered = child.call('slow')
        await child.call('quick')
        const [one, two] = await Promise.all([child.stop(), child.stop()])
        await println([await answered, ended(one), ended(two), await child.stdout.recv()])
        const stuck = spawn(async ({ println }: any) => { await println('in'); for (;;) {} }, { name: 'stuck', stopGrace: 200 })
        await stuck.stdout.recv()
        const begun = performance.now()
        const exit = await stuck.stop()
        await println([ended(exit), performance.now() - begun < 1200])
        const killed = spawn(new URL('./child.ts', import.meta.url))
        await killed.ready
        await println(ended(await killed.kill()))`,
      'child.ts': ts`
        import { println, self, serve } from 'wat-vm'
        self.onStop(() => println('hook'))
        await serve(async (body: string) => { if (body === 'slow') await new Promise(r => setTimeout(r, 300)); return body })`,
    })
    expect(facts).toEqual([
      ['slow', { code: 0 }, { code: 0 }, 'hook'],
      [{ signal: 'SIGKILL' }, true],
      { signal: 'SIGKILL' },
    ])
  })

  it('P46 P48 is a function with what it is given, or fails with the name it was not given', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const add = spawn(async ({ serve }: any, { k }: any) => serve((n: number) => n + k), { given: { k: 1 }, name: 'add' })
        await println([await add.call(41), add.address])
        const outside = 1
        const bad = spawn(async ({ serve }: any) => serve((n: number) => n + outside), { name: 'bad' })
        const error = await bad.ready.catch(told)
        await println([error.code, error.message.includes('outside'), ended(await bad.exited).code])
        await println(await bad.call(1).catch(told).then(({ code }: any) => code))`,
    })
    expect(facts).toEqual([[42, '/add'], ['offline', true, undefined], 'offline'].map(strip))
  })

  it('P83 P84 P85 is given references and values, calls back, gives references, and loses them with the link', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        import { ref, Ref } from 'wat-vm'
        let sum = 0
        let disposed = 0
        const store = ref({ add: (k: number) => (sum += k), [Symbol.dispose]: () => disposed++ }, { name: 'the store' })
        const child = spawn(new URL('./child.ts', import.meta.url), { given: { store, k: 2, deep: [1n, { u: null }] } })
        await println(await child.call({ op: 'given' }))
        await println(await child.call({ op: 'callback', f: ref((n: number) => [n, sum]) }))
        const [one, two, back] = await child.call({ op: 'make', store })
        await println([one instanceof Ref, one === two, back === store, one.address, await one.call(20)])
        await println(await child.call({ op: 'callback', f: one }))
        const far = (promise: Promise<unknown>) => promise.catch(told).then((value: any) => value.code ?? value)
        const hanging = far(child.call({ op: 'hang', f: ref(() => new Promise(() => {})) }))
        store.revoke()
        await println([await far(child.call({ op: 'given' })), disposed, (await store.closed).message])
        const pending = far(one.call('wait'))
        await child.call({ op: 'waits' })
        await child.kill()
        await println([await pending, await hanging, (await one.closed).code, await far(one.call(1))])`,
      'child.ts': ts`
        import { proxy, ref, self, serve, type Ref } from 'wat-vm'
        const { store, k, deep } = self.given
        const first = await proxy<{ add(k: number): number }>(store as Ref).add(k)
        const waits = Promise.withResolvers<void>()
        const made = ref((n: unknown) => (n === 'wait' ? (waits.resolve(), new Promise(() => {})) : 2 * (n as number)))
        await serve(async ({ op, f, store: again }: any) => {
          if (op === 'given') return [first, await proxy<any>(store).add(10), deep]
          if (op === 'callback') return f.call(21)
          if (op === 'make') return [made, made, again]
          if (op === 'waits') return waits.promise
          return f.call(1)
        })`,
    })
    expect(facts).toEqual([
      [2, 12, [1n, { u: null }]],
      [21, 12],
      [true, true, true, '/child', 40],
      42,
      ['denied', 1, 'the store has been revoked'],
      ['offline', 'offline', 'offline', 'offline'],
    ])
  })

  it('P90 P91 P92 gives and takes streams, pulled, closed and lost with the link', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const all = async (items: AsyncIterable<any>) => { const list: any[] = []; for await (const item of items) list.push(item); return list }
        const numbers = async function* (n: number) { for (let i = 0; i < n; i++) yield i }
        const child = spawn(new URL('./child.ts', import.meta.url), { given: { first: numbers(3) } })
        await println([await child.call({ op: 'given' }), await all(await child.call({ op: 'count', n: 5 }))])
        await println(await child.call({ op: 'sum', items: numbers(20_000) }))
        await println(await child.call({ op: 'sum', items: await child.call({ op: 'count', n: 100 }) }))
        for await (const item of await child.call({ op: 'count', n: 1e9 })) if (item === 2) break
        while ((await child.call({ op: 'ended' })) < 3);
        const fails = await child.call({ op: 'fails' })
        await println([await fails.recv(), (await fails.recv().catch(told)).message])
        const last = await child.call({ op: 'count', n: 3000 })
        await last.recv()
        const stopped = child.stop()
        await println([(await all(last)).length, ended(await stopped)])
        const other = spawn(new URL('./child.ts', import.meta.url), { given: { first: numbers(0) } })
        const lost = await other.call({ op: 'count', n: 1e9 })
        await lost.recv()
        await other.kill()
        await println((await all(lost).catch(told)).code)`,
      'child.ts': ts`
        import { self, serve } from 'wat-vm'
        let over = 0
        async function* count(n: number) { try { for (let i = 0; i < n; i++) yield i } finally { over++ } }
        await serve(async ({ op, n, items }: any) => {
          if (op === 'given') { const list: any[] = []; for await (const item of self.given.first) list.push(item); return list }
          if (op === 'count') return count(n)
          if (op === 'sum') { let sum = 0; for await (const item of items) sum += item; return sum }
          if (op === 'ended') return over
          return (async function* () { yield 1; throw new Error('half way') })()
        })`,
    })
    expect(facts).toEqual([
      [
        [0, 1, 2],
        [0, 1, 2, 3, 4],
      ],
      199_990_000,
      4950,
      [1, 'half way'],
      [2999, { code: 0 }],
      'offline',
    ])
  })

  it('P83 P85 P88 is a function that is given references, between two that never saw each other', async ({
    lab,
  }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        import { ref } from 'wat-vm'
        const maker = spawn(async ({ serve, ref }: any) => {
          const counter = ref({ add: (k: number) => (n += k) })
          let n = 0
          await serve((what: string) => (what === 'total' ? n : counter))
        }, { name: 'maker' })
        const counter = await maker.call('counter')
        const user = spawn(async ({ proxy, serve }: any, { counter, times }: any) => {
          const { add } = proxy(counter)
          for (let k = 1; k <= times; k++) await add(k)
          await serve(async (_: unknown, request: any) => [request.meta, await add(1).then(() => request.deadline > Date.now())])
        }, { name: 'user', given: { counter, times: 100 } })
        await println(await user.call(0, { meta: { trace: 't' }, timeout: 30_000 }))
        await println([await maker.call('total'), counter.address, ended(await user.stop())])
        // It goes on without its user.
        await println([(await counter.call(['odd']).catch(told)).code, ended(await maker.stop()), (await counter.closed).code])`,
    })
    expect(facts).toEqual([
      [{ trace: 't' }, true],
      [5051, '/maker', { code: 0 }],
      ['no-handler', { code: 0 }, 'offline'],
    ])
  })

  it('P48 has children of its own, which go with it', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const branch = spawn(new URL('./branch.ts', import.meta.url), { stopGrace: 1000 })
        await println(await branch.call(20))
        await println(ended(await branch.kill()))`,
      'branch.ts': ts`
        import { serve, spawnProcess, spawnThread } from 'wat-vm'
        const leaf = spawnProcess<number, unknown[]>(new URL('./leaf.ts', import.meta.url))
        const thread = spawnThread<number, unknown[]>(new URL('./leaf.ts', import.meta.url), { name: 'thread' })
        await serve(async (n: number) => [await leaf.call(n), await thread.call(n)])`,
      'leaf.ts': ts`
        import { self, serve } from 'wat-vm'
        await serve((n: number) => [n + 1, self.address])`,
    })
    expect(facts).toEqual([
      [
        [21, '/branch/leaf'],
        [21, '/branch/thread'],
      ],
      { signal: 'SIGKILL' },
    ])
  })

  it('P30 P48 its stderr comes as records, from whatever depth', async ({ lab }) => {
    const facts = await run(lab, tier, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const seen: any[] = []
        for await (const { tag, value } of child.stderr) seen.push(tag === 'wat/raw' ? [tag, value] : [tag, value.message, value.address])
        await println(seen)`,
      'child.ts': ts`
        import { log, spawnProcess } from 'wat-vm'
        log.warn('from the child')
        console.error('some text')
        await spawnProcess(new URL('./deeper.ts', import.meta.url)).exited`,
      'deeper.ts': ts`
        import { log } from 'wat-vm'
        log.info('from below')`,
    })
    expect(facts[0]).toEqual([
      ['wat/log', 'from the child', '/child'],
      ['wat/raw', 'some text'],
      ['wat/log', 'from below', '/child/deeper'],
    ])
  })
})

/** Absent stays absent over EDN. */
function strip(list: unknown): unknown {
  return Array.isArray(list) ? list.map(item => (item === undefined ? null : item)) : list
}

async function run(lab: Lab, tier: Tier, files: Record<string, string>): Promise<any[]> {
  const { args, close } = await tier.prepare(lab)
  const main = ts`
    import { println as print } from 'wat-vm'
    import { ended, spawn, told } from './tier.ts'
    const println = (value: unknown) => print(plain(value))
    const plain = (value: any): any => Array.isArray(value) ? value.map(item => (item === undefined ? null : plain(item))) : value
    ${files['main.ts'] ?? ''}`
  try {
    return await lab.facts(lab.program({ ...files, 'main.ts': main, 'tier.ts': tierModule }), { args })
  } finally {
    await close()
  }
}
