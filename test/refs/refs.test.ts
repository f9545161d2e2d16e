import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'

/** Serves whatever it is asked to do with references. */
const keeper = ts`
  import { proxy, ref, self, serve, spawnProcess, type Ref } from 'wat-vm'
  const below = self.args[0] === undefined || self.args[0] === '0' ? undefined
    : spawnProcess(import.meta.filename, { name: 'n', args: [String(Number(self.args[0]) - 1)], given: self.given })
  const kept: Ref[] = []
  if (below) await serve(below)
  else await serve({
    echo: (x: unknown) => x,
    use: (x: unknown) => self.given.service.call(x),
    keep: (r: Ref) => (kept.push(r), kept.every(k => k === kept[0])),
    back: (r: Ref) => r,
    call: (r: Ref, x: unknown) => r.call(x),
    make: () => ref((y: number) => y * 2),
    closed: async () => { const { code, message } = await kept[0]!.closed; return { code, message } },
    drop: () => kept.splice(0).forEach(r => r.release()),
    kept: (x: unknown) => kept[0]!.call(x),
    die: () => process.exit(7),
  })`

const prelude = (depth: number) => ts`
  import { println, proxy, ref, Ref, self, spawnProcess } from 'wat-vm'
  ${told}
  const spawn = (given?: object) =>
    spawnProcess(new URL('./keeper.ts', import.meta.url), { name: 'n', args: ['${depth}'], ...(given && { given }) })`

/** What such a program prints, with so many processes between it and the keeper. */
const factsOf = (lab: Lab, { depth, main }: { depth: number; main: string }) =>
  lab.facts(lab.program({ 'main.ts': prelude(depth) + main, 'keeper.ts': keeper }))

describe.each([0, 2])('references, with %d processes between', depth => {
  const last = '/n'.repeat(depth + 1)

  it('P83 P85 what is given is there, and is called from where it was given to', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const service = ref((x: number) => [x, self.address])
        const kid = spawn({ service, n: 1 })
        await println(await proxy<any>(kid).use(5))
        await kid.stop()`,
    })
    expect(facts).toEqual([[5, '/']])
  })

  it('P83 the same reference arrives as the same object, and at home as the original', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const kid = proxy<any>(spawn())
        const mine = ref(() => 1)
        await println([await kid.keep(mine), await kid.keep(mine), (await kid.back(mine)) === mine])
        const made = await kid.make()
        await println([made instanceof Ref, await made.call(21), made.address, (await kid.back(made)) === made])
        await println(await kid.call(made, 4))
        process.exit(0)`,
    })
    expect(facts).toEqual([[true, true, true], [true, 42, last, true], 8])
  })

  it('P84 a revoked one is denied everywhere, what is under way too, and its target is disposed of once', async ({
    lab,
  }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        let disposed = 0
        let aborted: any
        const begun = Promise.withResolvers<void>()
        const service = ref(Object.assign((x: unknown, request: any) => {
          request.signal.addEventListener('abort', () => (aborted = request.signal.reason.code))
          begun.resolve()
          return new Promise(() => {})
        }, { [Symbol.dispose]() { disposed++ } }), { name: 'the service' })
        const kid = spawn({ service })
        const pending = told(proxy<any>(kid).use(1))
        await proxy<any>(kid).keep(service)
        await begun.promise
        service.revoke()
        service.revoke()
        const { code, message } = await pending
        await println([code, message, aborted, disposed, await proxy<any>(kid).closed()])
        await println([(await told(proxy<any>(kid).use(1))).code, (await told(service.call(1))).code, (await service.closed).code])
        const started = performance.now()
        await println([await kid.stop(), performance.now() - started < 2000])`,
    })
    expect(facts).toEqual([
      [
        'denied',
        'the service has been revoked',
        'denied',
        1,
        { code: 'denied', message: 'the service has been revoked' },
      ],
      ['denied', 'denied', 'denied'],
      [{ code: 0 }, true],
    ])
  })

  it('P84 released by all who had it, its target is disposed of and it works no more', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const gone = Promise.withResolvers<string>()
        const once = ref({ x: () => 1, async [Symbol.asyncDispose]() { gone.resolve('disposed') } })
        const kid = proxy<any>(spawn())
        await kid.keep(once)
        await kid.keep(once)
        await kid.drop()
        await println([await gone.promise, (await once.closed).code])
        // One that its maker holds, too, goes on.
        const held = ref((n: number) => n + 1)
        held.dup()
        await kid.keep(held)
        await kid.drop()
        await println([await kid.call(held, 1), await held.call(2)])
        process.exit(0)`,
    })
    expect(facts).toEqual([
      ['disposed', 'denied'],
      [2, 3],
    ])
  })

  it('P84 one that a holder has released is denied there, until it comes again', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const kid = proxy<any>(spawn())
        const made = await kid.make()
        made.dup()
        made.release()
        await println(await made.call(1))
        await println(await made.call(2)); made[Symbol.dispose]()
        await println([(await told(made.call(1))).code, (await made.closed).code])
        try { made.dup() } catch (error: any) { await println(error.code) }
        await println((await told(kid.call(made, 1))).code)
        const other = await kid.make()
        try { other.revoke() } catch (error: any) { await println(error.message) }
        process.exit(0)`,
    })
    expect(facts).toEqual([
      2,
      4,
      ['denied', 'denied'],
      'denied',
      'denied',
      `only ${last} can revoke it, which made it`,
    ])
  })

  it('P84 the death of the process that made it breaks it, with its exit', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const process = spawn()
        const kid = proxy<any>(process)
        const made = await kid.make()
        await told(kid.die())
        const { code, data } = await made.closed
        await println([code, (data as any).exit, (await told(made.call(1))).code])`,
    })
    expect(facts[0][0]).toBe('offline')
    expect(facts[0][1]).toEqual({ code: 7 })
    expect(facts[0][2]).toBe('offline')
  })

  it('P88 the time that is left, the cancel and meta go along', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const seen: any[] = []
        const service = ref((x: string, request: any) => {
          seen.push([x, request.meta, request.deadline === undefined ? null : request.deadline - Date.now() <= 5000])
          if (x === 'wait') return new Promise(resolve => request.signal.addEventListener('abort', () => resolve(seen.push('aborted'))))
        })
        const kid = spawn()
        const over = proxy<any>(kid)
        const far = await over.back(ref(() => 0)) // the way is there
        await kid.call((await import('wat-vm/edn')).List.of(new (await import('wat-vm/edn')).Sym('call'), service, 'now') as any)
        await println(seen)
        process.exit(0)`,
    })
    expect(facts).toEqual([[['now', {}, null]]])
  })
})

describe('what can be a reference', () => {
  it('P87 an object answers its own methods and its classes’, and nothing else', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve, withRequest } from 'wat-vm'
      class Base { twice(n: number) { return 2 * n } }
      class Calc extends Base {
        #k = 10
        add(a: number, b: number) { return a + b + this.#k }
        get secret() { return () => 'secret' }
        static make() { return 'static' }
        'odd name' = () => 'odd'
        text = 'no function'
        id = withRequest((request, x: number) => [typeof request.id, x])
      }
      await serve(new Calc())`)
    const input = `#wat/req [1 (add 1 2)] #wat/req [2 (twice 4)] #wat/req [3 ("odd name")] #wat/req [4 (id 5)] #wat/req [5 (secret)]
      #wat/req [6 (constructor)] #wat/req [7 (toString)] #wat/req [8 (text)] #wat/req [9 [add 1 2]] #wat/req [10 5] #wat/req [11 ()]
      #wat/req [12 (hasOwnProperty "add")] #wat/req [13 (__proto__)] #wat/req [14 (make)]`
    const { stdout, code } = await lab.run(program, { input })
    const lines = stdout.trim().split('\n')
    expect(lines.filter(line => line.startsWith('#wat/rep')).sort()).toEqual([
      '#wat/rep [1 13]',
      '#wat/rep [2 8]',
      '#wat/rep [3 "odd"]',
      '#wat/rep [4 ["number" 5]]',
    ])
    const refused = lines.filter(line => line.includes(':wat/no-handler'))
    expect(refused).toHaveLength(10)
    for (const line of refused) expect(line).toContain(':data {:methods ["add" "id" "odd name" "twice"]}')
    expect(code).toBe(0)
  })

  it('P87 at a shell a list calls a method', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve({ add: (a: number, b: number) => a + b })`)
    expect((await lab.run(program, { input: '(add 1 2)' })).stdout).toBe('3\n')
  })

  it('P83 what is no reference is refused with the way out, where references go and where not', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, ref, spawnProcess, stdout } from 'wat-vm'
        ${told}
        const kid = spawnProcess(new URL('./double.ts', import.meta.url))
        for (const bad of [kid, { a: [() => 1] }]) await println(((await told(kid.call(bad))) as any).message)
        await println((await told(println(ref(() => 1)))).message)
        await println((await told(kid.stdin.send(ref(() => 1)))).code)
        for (const target of [5, null, 'x']) try { ref(target as any) } catch (error: any) { await println(error.code) }
        await kid.stop()`,
        'double.ts': ts`import { serve } from 'wat-vm'; await serve(x => x)`,
      }),
    )
    expect(facts).toEqual([
      'EDN cannot carry an instance of Process, at $: ref(it) gives a reference to it, which calls, replies and `given` carry',
      'EDN cannot carry a function, at $.a[0]: ref(it) gives a reference to it, which calls, replies and `given` carry',
      'EDN cannot carry an instance of Ref, at $: a reference travels in calls, replies and `given`, to a side that knows references',
      'encode',
      'denied',
      'denied',
      'denied',
    ])
  })

  it('P83 a reference is called at home as from elsewhere: copied, in order, within its concurrency', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { println, ref, proxy } from 'wat-vm'
        ${told}
        const log: any[] = []
        let running = 0, most = 0
        const slow = ref(async (n: any) => { most = Math.max(most, ++running); await null; await null; running--; log.push(n.n); return n }, { concurrency: 2 })
        const given = { n: 1, u: undefined }
        const back = await slow.call(given)
        await println([back === given, back])
        await Promise.all([2, 3, 4, 5].map(n => slow.call({ n })))
        await println([log, most])
        await println((await told(slow.call({ f() {} }))).code)
        await println((await told(ref(() => new Promise(() => {})).call(1, { timeout: 20 }))).code)
        await println((await told(ref(() => new Promise(() => {})).call(1, { signal: AbortSignal.abort() }))).code)
        await println((await told(ref(() => { throw new RangeError('local') }).call(1))))`),
    )
    expect(facts).toEqual([
      [false, { n: 1 }],
      [[1, 2, 3, 4, 5], 2],
      'encode',
      'timeout',
      'cancelled',
      { code: 'handler', message: 'local', address: '/', data: { name: 'RangeError' } },
    ])
  })
})

describe('bounds', () => {
  it('P86 a fresh callback with each of many calls, which nobody releases, stays bounded', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, ref, spawnProcess } from 'wat-vm'
        const kid = spawnProcess<any, any>(new URL('./kid.ts', import.meta.url))
        let left = 150_000
        await Promise.all(Array.from({ length: 64 }, async () => {
          while (left-- > 0) { const n = left; await kid.call({ n, f: ref((x: number) => x + n) }) }
        }))
        await println('done')
        await kid.stop()`,
        'kid.ts': ts`
        import { serve } from 'wat-vm'
        let n = 0
        await serve(async ({ f, n: m }: any) => (n++ % 1000 === 0 ? await f.call(1) === m + 1 : true))`,
      }),
    )
    expect(facts).toEqual(['done'])
  }, 120_000)

  it('P86 too many that are kept are overloaded, and those before go on', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, ref, spawnProcess } from 'wat-vm'
        ${told}
        const kid = spawnProcess<any, any>(new URL('./kid.ts', import.meta.url))
        const one = (n: number) => ref(() => n)
        for (let n = 0; n < 65; n++) await kid.call(Array.from({ length: 1000 }, (_, i) => one(n * 1000 + i)))
        const { code, data } = await told(kid.call(Array.from({ length: 1000 }, (_, i) => one(i)))) as any
        await println([code, data])
        await println(await kid.call(null))
        await kid.stop()`,
        'kid.ts': ts`
        import { serve } from 'wat-vm'
        const kept: any[] = []
        await serve(async (refs: any) => { if (refs) kept.push(...refs); else return [kept.length, await kept[0].call(0), await kept[64_999].call(0)] })`,
      }),
    )
    expect(facts).toEqual([
      ['overloaded', { limit: 65_536 }],
      [65_000, 0, 64_999],
    ])
  })
})

describe('a stop', () => {
  it('P89 what its children call while it drains is answered and passed on', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, ref, spawnProcess } from 'wat-vm'
        const saved: string[] = []
        const store = ref(async (what: string) => { await new Promise(resolve => setTimeout(resolve, 50)); saved.push(what); return saved.length })
        const mid = spawnProcess(new URL('./mid.ts', import.meta.url), { given: { store } })
        await mid.ready
        await mid.call(1)
        const exit = await mid.stop()
        await println([saved, exit])`,
        'mid.ts': ts`
        import { ref, self, serve, spawnProcess } from 'wat-vm'
        const own = ref((what: string) => self.given.store.call(what + ' by mid'))
        const kid = spawnProcess(new URL('./kid.ts', import.meta.url), { given: { store: self.given.store, own } })
        await serve(kid)`,
        'kid.ts': ts`
        import { self, serve } from 'wat-vm'
        self.onStop(async () => {
          await self.given.store.call('a')
          await self.given.own.call('b')
        })
        await serve(() => 1)`,
      }),
    )
    expect(facts).toEqual([[['a', 'b by mid'], { code: 0 }]])
  })
})

describe('garbage', () => {
  /** Makes so much of it that what is lost is found. */
  const collect = ts`
    const collect = async (done: () => boolean) => {
      const { setFlagsFromString } = process.getBuiltinModule('node:v8')
      setFlagsFromString('--expose-gc')
      const gc = process.getBuiltinModule('node:vm').runInNewContext('gc')
      for (let i = 0; i < 200; i++) {
        await new Promise(resolve => setTimeout(resolve, 10)) // what has been looked at stays until the next turn
        gc()
        await new Promise(resolve => setTimeout(resolve, 0))
        if (done()) return true
      }
      return false
    }`

  it('P84 what a callee has lost can be given again; it is disposed of when its maker has lost it, too', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, ref, spawnProcess, proxy } from 'wat-vm'
        ${collect}
        const kid = proxy<any>(spawnProcess(new URL('./kid.ts', import.meta.url)))
        let disposed = 0
        const make = () => ref({ add: (n: number) => n + 1, [Symbol.dispose]() { disposed++ } })
        let mine: any = make()
        await println(await kid.use(mine))
        await println(await kid.lost()) // nobody has it any more, but its maker
        await println([await kid.use(mine), disposed])
        await println([await kid.lost(), disposed])
        mine = undefined
        await println(await collect(() => disposed === 1))
        const kept = make()
        await kid.release(kept)
        while (disposed < 2) await kid.use(ref({ add: () => 0 }))
        await println([(await kept.closed).code, disposed])
        process.exit(0)`,
        'kid.ts': ts`
        import { proxy, serve, type Ref } from 'wat-vm'
        ${collect}
        let weak: WeakRef<any>
        await serve({
          use: async (r: Ref) => { weak = new WeakRef(r); return proxy<any>(r).add(1) },
          lost: async () => { const gone = await collect(() => weak.deref() === undefined); await new Promise(resolve => setTimeout(resolve, 20)); return gone },
          release: (r: Ref) => r.release(),
        })`,
      }),
    )
    expect(facts).toEqual([2, true, [2, 0], [true, 0], true, ['denied', 2]])
  })
})
