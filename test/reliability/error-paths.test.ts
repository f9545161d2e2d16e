import { describe, expect, it, told, ts } from '../support/lab.ts'
import { parseAll, type Tagged } from '../../runtime/edn/index.ts'

/** What a program may throw, return, log or be sent to trouble whoever tells of it. */
const trouble = ts`
  import { inspect } from 'node:util'
  import { WatError } from 'wat-vm'
  const revoked = () => { const made = Proxy.revocable(function () {}, {}); made.revoke(); return made.proxy }
  const throwing = (name: PropertyKey) => Object.defineProperty({}, name, { enumerable: true, get() { throw new Error('a getter') } })
  class Instance { a = 1; toString() { throw new Error('toString') } }
  const cycle: any = { a: 1 }
  cycle.self = cycle
  const looped: any = new Error('looped')
  looped.cause = looped
  export const odd: Record<string, () => unknown> = {
    bare: () => Object.create(null),
    cycle: () => cycle,
    symbols: () => [Symbol()],
    symbol: () => Symbol('s'),
    nothing: () => undefined,
    null: () => null,
    function: () => () => 1,
    getter: () => throwing('a'),
    toString: () => ({ toString: 1 }),
    toStringThrows: () => ({ toString() { throw 1 }, f: () => 1 }),
    toJSON: () => ({ toJSON() { throw 1 }, f: () => 1 }),
    inspector: () => ({ [inspect.custom]() { throw new Error('an inspector') }, f: () => 1 }),
    revoked,
    revokedInside: () => [{ a: revoked() }],
    instance: () => new Instance(),
    iterator: () => (async function* () { yield 1 })(),
    promises: () => ({ a: Promise.resolve(Symbol()) }),
    looped: () => looped,
    causes: () => { let error: unknown = 1; for (let n = 0; n < 9000; n++) error = new Error('e', { cause: error }); return error },
    nested: () => { let list: unknown = Symbol(); for (let n = 0; n < 20_000; n++) list = [list]; return list },
    revokedCause: () => new Error('e', { cause: revoked() }),
    getterCause: () => Object.defineProperty(new Error('e'), 'cause', { get() { throw 1 } }),
    message: () => Object.assign(new Error('e'), { message: { toString: 1 } }),
    name: () => Object.assign(new Error('e'), { name: Symbol('n'), stack: 5 }),
    data: () => new WatError('handler', 'e', { data: revoked() }),
    dataGetter: () => new WatError('offline', 'e', { data: throwing('exit') }),
    address: () => Object.assign(new WatError('handler', 'e'), { address: Symbol(), code: 7 }),
    large: () => new Error('x'.repeat(20_000_000)),
    largeData: () => new WatError('handler', 'e', { data: 'x'.repeat(20_000_000) }),
    date: () => new Date(NaN),
  }
  export const thenables: Record<string, () => unknown> = {
    throws: () => ({ then() { throw new Error('then') } }),
    getter: () => throwing('then'),
    both: () => ({ then(resolve: any, reject: any) { resolve(1); reject(2) } }),
    twice: () => ({ then(resolve: any) { resolve(1); resolve(2); throw 3 } }),
    rejectsTwice: () => ({ then(_: any, reject: any) { reject(revoked()); reject(2) } }),
    itself: () => { const it: any = { then(resolve: any) { resolve(5) } }; return it },
    promise: () => Object.assign(Promise.resolve(1), { then() { throw new Error('then') } }),
    promises: () => Promise.resolve({ then: (resolve: any) => resolve(Promise.resolve(1)) }),
    constructed: () => Object.defineProperty(Promise.resolve(1), 'constructor', { get() { throw new Error('constructor') } }),
  }`

const server = ts`
  import { log, serve } from 'wat-vm'
  import { odd, thenables } from './trouble.ts'
  export const handler = async ([how, name]: [string, string]) => {
    const value = () => (odd[name] ?? thenables[name])!()
    if (how === 'throw') throw value()
    if (how === 'reject') return Promise.reject(value())
    if (how === 'log') { log.info('odd', value()); log.error(value() as any); log.warn(value() as any, value()) }
    if (how === 'warn') process.emit('warning', value() as any)
    return 'done'
  }
  const sync = (body: [string, string]) => {
    if (body === null || !Array.isArray(body)) return body
    if (body[0] === 'return') return (odd[body[1]] ?? thenables[body[1]])!()
    if (body[0] === 'throw now') throw odd[body[1]]!()
    return handler(body)
  }
  export default sync
`

const names = [...trouble.matchAll(/^ {4}(\w+)(?::|,)/gm)].map(([, name]) => name as string)
const oddNames = names.slice(0, names.indexOf('throws'))
const thenableNames = names.slice(names.indexOf('throws'))

/** A start of a process for each is too much for all of them. */
const worst = [
  'bare',
  'cycle',
  'symbols',
  'revoked',
  'looped',
  'causes',
  'nested',
  'getterCause',
  'message',
  'large',
]

const orders = [
  ...['throw', 'throw now', 'reject', 'return', 'log', 'warn'].flatMap(how =>
    oddNames.map(name => [how, name]),
  ),
  ...thenableNames.map(name => ['return', name]),
]

/** What an order may be answered with, besides an error of the handler. */
const answered = (answer: any) =>
  'value' in answer || ['handler', 'encode', 'too-large', 'timeout', 'offline'].includes(answer.code)

describe('whatever a program throws, returns or logs', () => {
  for (const tier of ['spawnProcess', 'spawnThread', 'listen'] as const) {
    it(`P65 each request is answered and the process goes on (${tier})`, async ({ lab }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { connect, listen, println, Receiver, self, spawnProcess, spawnThread } from 'wat-vm'
          import handler from './handler.ts'
          ${told}
          const file = new URL('./server.ts', import.meta.url)
          const options = { stderr: 'pipe' as const }
          const secret = new Uint8Array(32)
          const listener = '${tier}' === 'listen' ? await listen('tcp://127.0.0.1:0', handler, { secret }) : undefined
          const child = listener ? connect<any, any>(listener.address, { secret })
            : '${tier}' === 'spawnThread' ? spawnThread<any, any>(file, options) : spawnProcess<any, any>(file, options)
          void (async () => { for await (const _ of child.stderr); })()
          for (const order of ${JSON.stringify(orders)}) {
            const answer: any = await told(child.call(order, { timeout: 10_000 }))
            delete answer.data
            if (answer.value instanceof Receiver) answer.value = 'a stream'
            answer.message = answer.message?.slice(0, 200)
            await println([order, answer])
          }
          await println(await child.call(5))
          await println((await child.stop()).code ?? null)
          await listener?.close()`,
        'trouble.ts': trouble,
        'handler.ts': server,
        'server.ts': ts`
          import { serve } from 'wat-vm'
          import handler from './handler.ts'
          await serve(handler as any)`,
      })
      const { code, stdout, stderr } = await lab.run(program)
      expect(code, stderr.slice(-3000)).toBe(0)
      const facts = parseAll(stdout) as any[]
      const [good, exit] = facts.splice(-2)
      expect([good, exit]).toEqual([5, 0])
      expect(
        facts.filter(
          ([[, name], answer]) =>
            !answered(answer) ||
            answer.code === 'timeout' ||
            (answer.code === 'offline' && name !== 'dataGetter'), // which is its own
        ),
      ).toEqual([])
      expect(facts).toHaveLength(orders.length)
      for (const [[how], answer] of facts)
        if (how === 'throw' || how === 'throw now' || how === 'reject')
          expect(answer.code).toBeTypeOf('string')
    }, 60_000)
  }

  it('P65 P21 a plain value is passed over with a fault, and those behind it are answered', async ({
    lab,
  }) => {
    const program = lab.program({
      'server.ts': ts`
      import { serve } from 'wat-vm'
      import handler from './handler.ts'
      await serve(handler as any)`,
      'handler.ts': server,
      'trouble.ts': trouble,
    })
    const values = [
      ...oddNames.map(name => `["throw" "${name}"]`),
      ...oddNames.map(name => `["return" "${name}"]`),
      ...thenableNames.map(name => `["return" "${name}"]`),
    ]
    const { code, stdout, stderr } = await lab.run(program, { input: `${values.join('\n')}\n"last"\n` })
    expect(code, stderr.slice(-2000)).toBe(1)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('"last"')
    const faults = (parseAll(stderr) as Tagged[]).filter(({ tag }) => tag === 'wat/fault')
    expect(faults.length).toBeGreaterThan(oddNames.length)
  })

  it('P65 a handler that tells its body to an error answers what cannot be told of it', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve, WatError } from 'wat-vm'
      await serve(body => { throw new WatError('handler', 'bad', { data: body }) })`)
    const bodies = [
      '[#wat/x 1 {:toString 1}]',
      '#wat/err [1 nil]',
      '{:a #wat/log {}}',
      '[#x/y {:toString nil}]',
      '##NaN',
    ]
    const input = bodies.map((body, n) => `#wat/req [${n + 1} ${body}]\n`).join('')
    const { code, stdout } = await lab.run(program, { input })
    expect(code).toBe(0)
    expect(stdout.match(/^#wat\/err \[\d+ \{:type :wat\/handler :message "bad"/gm)).toHaveLength(
      bodies.length,
    )
  })

  it('P65 P34 hooks that throw are told, and those that come after run', async ({ lab }) => {
    const program = lab.program({
      'program.ts': ts`
      import { println, self } from 'wat-vm'
      import { odd, thenables } from './trouble.ts'
      self.onStop(() => println('the last'))
      for (const name in odd) self.onStop(() => { throw odd[name]!() })
      for (const name in thenables) self.onStop(thenables[name]!)`,
      'trouble.ts': trouble,
    })
    const { code, stdout, stderr } = await lab.run(program)
    expect([code, stdout]).toEqual([0, '"the last"\n'])
    expect(stderr.match(/^#wat\/fault /gm)?.length).toBeGreaterThanOrEqual(oddNames.length)
  })

  for (const [how, last, exit] of [
    ['thrown at the top', 'throw it', 3],
    ['thrown later', 'setTimeout(() => { throw it }, 5)', 2],
    ['rejected', 'void Promise.reject(it); setTimeout(() => {}, 5000)', 2],
    ['thrown by its main', 'export default () => { throw it }', 2],
  ] as const) {
    it(`P65 P20 ${how}: there is a panic record, the last line of stderr`, async ({ lab }) => {
      const rest = last.startsWith('export') ? last : `export {}\n${last}`
      const program = lab.program({
        'program.ts': `import { self } from 'wat-vm'\nimport { odd } from './trouble.ts'\nconst it: any = odd[self.args[0]!]!()\n${rest}`,
        'trouble.ts': trouble,
      })
      for (const name of worst) {
        const { code, stderr } = await lab.run(program, { args: [name] })
        expect([name, code]).toEqual([name, exit])
        expect(stderr.trimEnd().split('\n').at(-1)?.slice(0, 40), name).toMatch(/^#wat\/panic \{/)
      }
    }, 60_000)
  }

  it('P65 P51 what a thread throws that has taken our listeners away ends the thread alone', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnThread } from 'wat-vm'
        for (const name of ['null', 'nothing', 'symbol', 'message', 'name', 'bare', 'revoked']) {
          const thread = spawnThread(new URL('./thread.ts', import.meta.url), { args: [name], stderr: 'pipe' })
          const { code, panic } = await thread.exited
          await println([name, code ?? null, panic?.code ?? null])
        }`,
      'thread.ts': ts`
        import { self } from 'wat-vm'
        import { odd } from './trouble.ts'
        process.removeAllListeners('uncaughtException')
        setTimeout(() => { throw odd[self.args[0]!]!() }, 5)
        setInterval(() => {}, 1000)`,
      'trouble.ts': trouble,
    })
    for (const [name, code, panic] of await lab.facts<any[]>(program))
      expect([name, code === 0, panic]).toEqual([name, false, 'handler'])
  })
})
