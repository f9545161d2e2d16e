import { expect, ts } from '../../support/lab.ts'
import { atEachTier } from './at-each-tier.ts'

atEachTier((it, run) => {
  it('P48 answers calls: pipelined, out of order, with every value whole', async ({ lab }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const child = spawn(new URL('./child.ts', import.meta.url), { name: 'leaf' })
        await child.ready
        const order: number[] = []
        const late = [2, 0, 1].map(turn => child.call({ turn }).then(reply => { order.push(turn); return reply }))
        await println([await Promise.all(late), order])
        await println((await Promise.all(Array.from({ length: 1000 }, (_, n) => child.call({ n })))).every((reply, n) => reply.n === n))
        const value = { text: 'ünï ☃ \u0000', big: 2n ** 80n, bytes: new Uint8Array([0, 255]), list: [null, true, 1.5], when: new Date(0) }
        await println(await child.call(value))
        await println((await child.call({ long: 'x'.repeat(2_000_000) })).long.length)
        await println([child.name, child.address, ended(await child.stop())])`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        const over = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
        await serve(async (body: any) => {
          if (body.turn > 0) await over[body.turn - 1]!.promise
          over[body.turn]?.resolve()
          return body
        })`,
    })
    expect(facts[0]).toEqual([
      [{ turn: 2 }, { turn: 0 }, { turn: 1 }],
      [0, 1, 2],
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
    const facts = await run(lab, {
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

  it('P46 P48 is a function with what it is given, or fails with the name it was not given', async ({
    lab,
  }) => {
    const facts = await run(lab, {
      'main.ts': ts`
        const add = spawn(async ({ serve }: any, { k }: any) => serve((n: number) => n + k), { given: { k: 1 }, name: 'add' })
        await println([await add.call(41), add.address])
        const outside = 1
        const bad = spawn(async ({ serve }: any) => serve((n: number) => n + outside), { name: 'bad' })
        const error = await bad.ready.catch(told)
        await println([error.code, error.message.includes('outside'), ended(await bad.exited).code])
        await println(await bad.call(1).catch(told).then(({ code }: any) => code))`,
    })
    expect(facts).toEqual([[42, '/add'], ['offline', true, null], 'offline'])
  })
})
