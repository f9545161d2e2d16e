import { readFileSync } from 'node:fs'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'

/** Serves streams, as many processes below as it is told. What it counts is at the end of the way. */
const source = ts`
  import { readFileSync, writeFileSync } from 'node:fs'
  import { ref, self, serve, spawnProcess } from 'wat-vm'
  const [depth = '0', journal = ''] = self.args
  let made = 0
  let cleaned = 0
  async function* count(n: number, text = '') {
    try {
      for (let i = 0; i < n; i++) { made++; yield text === '' ? i : text }
    } finally {
      cleaned++
      if (journal) writeFileSync(journal, 'cleaned')
    }
  }
  if (depth !== '0') await serve(spawnProcess(import.meta.filename, { name: 'n', args: [String(Number(depth) - 1), journal] }))
  else await serve({
    count,
    fails: async function* () { yield 1; yield 2; throw new Error('half way') },
    deep: async function* (n: number) { for (let i = 0; i < n; i++) yield { items: count(i), twice: ref((x: number) => 2 * x) } },
    slow: async function* () { yield 1; await new Promise(() => {}) },
    odd: () => ({ async *[Symbol.asyncIterator]() { yield [undefined]; yield null; yield undefined } }),
    web: () => new ReadableStream({ start(c) { c.enqueue('a'); c.enqueue('b'); c.close() } }),
    sum: async (items: AsyncIterable<number>) => { let sum = 0; for await (const item of items) sum += item; return sum },
    first: async (items: AsyncIterable<number>) => { for await (const item of items) return item },
    hold: (items: any) => items,
    state: () => ({ made, cleaned }),
  })`

const prelude = (depth: number) => ts`
  import { println, proxy, Receiver, ref, self, spawnProcess } from 'wat-vm'
  ${told}
  const child = spawnProcess(new URL('./source.ts', import.meta.url), { name: 'n', args: ['${depth}', self.args[0] ?? ''] })
  const far = proxy<any>(child)
  const all = async (items: AsyncIterable<any>) => { const list: any[] = []; for await (const item of items) list.push(item); return list }
  const until = async (cleaned: number) => { while ((await far.state()).cleaned < cleaned); return cleaned }`

interface Main {
  depth: number
  main: string
}

const files = ({ depth, main }: Main) => ({
  'main.ts': `${prelude(depth)}\n${main}`,
  'source.ts': source,
})

/** What such a program prints, with so many processes between it and the source. */
const factsOf = (lab: Lab, program: Main) => lab.facts(lab.program(files(program)))

describe.each([0, 2])('streams, with %d processes between', depth => {
  it('P90 an answer that is a stream comes item by item, in order, to its end', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const items = await far.count(3)
        await println([items instanceof Receiver, await items.recv(), await all(items), (await items.recv()) === undefined])
        await println([await all(await far.count(0)), await all(await far.odd()), await all(await far.web())])
        let n = 0
        for await (const item of await far.count(100_000)) if (item !== n++) throw new Error('order')
        await println([n, await until(3)])
        for await (const { items, twice } of await far.deep(4)) await println([await all(items), await twice.call(4)])
        await println(await child.stop())`,
    })
    expect(facts).toEqual([
      [true, 0, [1, 2], true],
      [[], [[null], null, null], ['a', 'b']],
      [100_000, 3],
      [[], 8],
      [[0], 8],
      [[0, 1], 8],
      [[0, 1, 2], 8],
      { code: 0 },
    ])
  })

  it('P90 a stream goes the other way, passes through, and is its sender’s no more', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const numbers = async function* (n: number) { for (let i = 1; i <= n; i++) yield i }
        await println([await far.sum(numbers(100)), await far.sum(await far.count(10)), await far.sum(await far.hold(numbers(4)))])
        const begun = await far.count(5)
        await begun.recv()
        const pending = far.sum(begun)
        await println([(await told(begun.recv())).code, (await told(far.sum(begun))).code, (await told(all(begun))).code, await pending])
        const kept = numbers(2)
        await println([(await told(far.sum([kept, () => 1]))).code, await far.sum(kept)]) // what was refused was not given
        await println((await told(println(kept))).code)
        process.exit(0)`,
    })
    expect(facts).toEqual([[5050, 45, 10], ['denied', 'denied', 'denied', 10], ['encode', 3], 'encode'])
  })

  it('P90 its maker is a bounded number of bytes ahead of whoever reads', async ({ lab }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const items = await far.count(100_000, 'x'.repeat(1000))
        await println((await far.state()).made)
        await items.recv()
        for (let before = -1, { made } = await far.state(); made !== before; { made } = await far.state()) before = made
        const { made } = await far.state()
        await println(made)
        for (let i = 0; i < 999; i++) await items.recv()
        await println((await far.state()).made - 1000)
        process.exit(0)`,
    })
    expect(facts[0]).toBe(0) // nobody has asked for one
    for (const ahead of facts.slice(1)) {
      expect(ahead).toBeGreaterThan(10)
      expect(ahead).toBeLessThan(100)
    }
  })

  it('P91 an error comes behind the items before it, and an end that nobody wants runs what cleans up', async ({
    lab,
  }) => {
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const failing = await far.fails()
        await println([await failing.recv(), await failing.recv(), (await told(failing.recv())).message, (await told(failing.recv())).message])
        for await (const item of await far.count(1e9)) if (item === 3) break
        await println(await until(1))
        const closed = await far.count(1e9)
        await closed.recv()
        closed.close()
        await println([(await closed.recv()) === undefined, await until(2)])
        const governing = new AbortController()
        const governed = await child.call(new (await import('wat-vm/edn')).List(new (await import('wat-vm/edn')).Sym('count'), 1e9 as any) as any, { signal: governing.signal, timeout: 10_000 })
        await governed.recv()
        governing.abort()
        await println([(await told((async () => { for (;;) await governed.recv() })())).code, await until(3)])
        await println([await far.first((async function* () { try { for (let i = 7; ; i++) yield i } finally { await println('here, too') } })())])
        process.exit(0)`,
    })
    expect(facts.filter(fact => fact !== 'here, too')).toEqual([
      [1, 2, 'half way', 'half way'],
      1,
      [true, 2],
      ['cancelled', 3],
      [7],
    ])
    expect(facts).toContain('here, too')
  })

  it('P91 the death of its maker rejects, the death of its reader runs what cleans up', async ({ lab }) => {
    const journal = `${lab.folder()}/journal`
    const facts = await factsOf(lab, {
      depth,
      main: ts`
        const slow = await far.slow()
        await println(await slow.recv())
        const pending = told(slow.recv())
        const held = await far.count(1e9)
        await held.recv()
        await child.kill()
        await println([(await pending).code, (await told((async () => { for (;;) if (await held.recv() === undefined) return })())).code])`,
    })
    expect(facts).toEqual([1, ['offline', 'offline']])

    const reader = lab.start(
      lab.program(
        files({
          depth,
          main: ts`const items = await far.count(1e9); await items.recv(); await println('reads'); await new Promise(() => setInterval(() => {}, 1000))`,
        }),
      ),
      { args: [journal] },
    )
    await reader.stdout.match(/reads/)
    reader.signal('SIGKILL')
    await reader.ended
    await lab.noSurvivors()
    expect(readFileSync(journal, 'utf8')).toBe('cleaned')
  })
})

describe('streams', () => {
  it('P90 at a shell each item of an answer is printed on its own, and answers keep their order', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(async (n: number) => n < 0 ? 'plain' : (async function* () { for (let i = 1; i <= n; i++) { if (i === 2) await new Promise(resolve => setTimeout(resolve, 20)); yield i } })())`)
    const { stdout, code } = await lab.run(program, { input: '3 -1 2 0 -1' })
    expect({ stdout, code }).toEqual({ stdout: '1\n2\n3\n"plain"\n1\n2\n"plain"\n', code: 0 })
  })

  it('P90 P23 one that never ends stops with its reader', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(async function* (n: number) { for (let i = 1; ; i++) yield i * n })`)
    const { stdout, stderr } = await lab.sh(`echo 2 | wat "$1" | head -3`, { args: [program] })
    expect({ stdout, stderr }).toEqual({ stdout: '2\n4\n6\n', stderr: '' })
  })

  it('P90 where frames are small, a stream comes in smaller pieces; an item that is too large for one rejects', async ({
    lab,
  }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const kid = spawnProcess<any, any>(new URL('./kid.ts', import.meta.url), { maxFrame: 2000 })
        let n = 0
        for await (const item of await kid.call([5000, 50])) n += item.length
        await println(n)
        const items = await kid.call([3, 3000])
        await println(await items.recv().catch((error: any) => error.code))
        await kid.stop()`,
        'kid.ts': ts`
        import { serve } from 'wat-vm'
        await serve(async function* ([n, size]: any) { for (let i = 0; i < n; i++) yield '\u00e9'.repeat(size) })`,
      }),
    )
    expect(facts).toEqual([250_000, 'too-large'])
  })

  it('P90 a stream can be given', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program(ts`
        import { println, spawnProcess } from 'wat-vm'
        const numbers = async function* () { yield 1; yield 2 }
        const kid = spawnProcess(async ({ println, self }: any, { numbers }: any) => { for await (const n of numbers) await println(n * 10) }, { given: { numbers: numbers() } })
        for await (const n of kid.stdout) await println(n)
        await println(await kid.exited)`),
    )
    expect(facts).toEqual([10, 20, { code: 0 }])
  })

  it('P92 an open stream holds its process, and is finished when that is asked to stop', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const kid = spawnProcess<any, any>(new URL('./kid.ts', import.meta.url))
        const items = await kid.call(1000)
        await items.recv()
        const stopped = kid.stop()
        let n = 1
        for await (const _ of items) n++
        await println([n, await stopped])`,
        'kid.ts': ts`
        import { serve } from 'wat-vm'
        await serve(async function* (n: number) { for (let i = 0; i < n; i++) yield 'x'.repeat(1000) })`,
      }),
    )
    expect(facts).toEqual([[1000, { code: 0 }]])
  })
})
