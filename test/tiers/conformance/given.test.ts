import { expect, ts } from '../../support/lab.ts'
import { atEachTier } from './at-each-tier.ts'

atEachTier((it, run) => {
  it('P83 P84 P85 is given references and values, calls back, gives references, and loses them with the link', async ({
    lab,
  }) => {
    const facts = await run(lab, {
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

  it('P94 P95 passes bytes and whole bodies on as they are, read or unread', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        import { ref, unread } from 'wat-vm'
        const child = spawn(new URL('./child.ts', import.meta.url), {})
        const bytes = (n: number) => Uint8Array.from({ length: n }, (_, at) => 255 - (at % 5))
        const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, at) => byte === b[at])
        for (const n of [0, 1023, 1024, 300_000]) {
          const { one, two } = await child.call({ one: bytes(n), two: [bytes(2000)], text: 'ÿ' })
          await println([same(one, bytes(n)), same(two[0], bytes(2000))])
        }
        const own = ref((n: number) => 2 * n)
        const lazily = await child.call({ own, bytes: bytes(5000) }, { lazy: true, meta: { to: 'below' } })
        const { own: back, bytes: sent } = lazily.read() as any
        await println([back === own, same(sent, bytes(5000)), lazily.size])
        const once = unread([own, bytes(1500)])
        for (const to of ['here', 'below']) {
          const [far, size] = await child.call(once, { meta: { to, count: true } }) as any
          await println([far, size])
        }
        await child.stdin.send(bytes(70_000) as any)
        await println(await child.stdout.recv())`,
      'child.ts': ts`
        import { self, serve, spawnProcess, type Unread } from 'wat-vm'
        const answer = async ([own, bytes]: any) => [await own.call(21), bytes.length]
        if (self.args[0] === 'below') await serve((body: any, { meta }) => (meta.count ? answer(body) : body))
        else {
          const below = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { name: 'below', args: ['below'] })
          await serve((body: Unread, request) => {
            if (request.id === undefined) return body.read().length
            if (request.meta.to === 'below') return request.forward(below)
            return request.meta.count ? answer(body.read()) : body
          }, { lazy: true })
        }`,
    })
    expect(facts).toEqual([
      ...Array.from({ length: 4 }, () => [true, true]),
      [true, true, 5000 + '{:own #wat/ref 0 :bytes #wat/bytes 0}'.length],
      [42, 1500],
      [42, 1500],
      70_000,
    ])
  })

  it('P90 P91 P92 gives and takes streams, pulled, closed and lost with the link', async ({ lab }) => {
    const facts = await run(lab, {
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
    const facts = await run(lab, {
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
})
