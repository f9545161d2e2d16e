import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAll } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'

/** Public modules of Node that take their time to load. */
const HEAVY = ['child_process', 'crypto', 'http', 'net', 'stream', 'tls', 'tty', 'worker_threads']

const loaded = ts`
  const heavy = () => ${JSON.stringify(HEAVY)}.filter(name => process.moduleLoadList.includes('NativeModule ' + name))`

describe('what a start loads', () => {
  it('P52 a root and a child answer without sockets and streams', async ({ lab }) => {
    const program = lab.program({
      'main.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        ${loaded}
        await serve(async input => {
          const own = heavy()
          const child = spawnProcess(new URL('./child.ts', import.meta.url))
          return [own, await child.call(input)]
        })`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        ${loaded}
        await serve(() => heavy())`,
    })
    expect(await lab.facts(program, { input: '1' })).toEqual([[[], []]])
  })

  it('P52 a request that is there already is answered before what spawning needs is loaded', async ({
    lab,
  }) => {
    const program = lab.program({
      // Its call is in the pipe before the child has begun to boot.
      'main.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./spawner.ts', import.meta.url))
        await println(await child.call('before'))
        await println(await child.call('after'))`,
      'spawner.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        ${loaded}
        const leaf = spawnProcess(new URL('./leaf.ts', import.meta.url))
        await serve(async when => {
          const before = heavy()
          return when === 'before' ? before : [await leaf.call(1), heavy().includes('child_process')]
        })`,
      'leaf.ts': ts`
        import { serve } from 'wat-vm'
        await serve((n: number) => n + 1)`,
    })
    expect(await lab.facts(program)).toEqual([[], [2, true]])
  })

  it('P52 the command and a spawn start Node with the same flags', () => {
    const [, flags] =
      /^flags='(.+)'$/m.exec(readFileSync(path.join(import.meta.dirname, '../..', 'bin/wat'), 'utf8')) ?? []
    const own = readFileSync(path.join(import.meta.dirname, '../..', 'runtime/local/command-line.ts'), 'utf8')
    const [, list = ''] = /^const NODE_FLAGS = \[(.+)\]$/m.exec(own) ?? []
    expect(list.replaceAll("'", '').split(', ')).toEqual(flags?.split(' '))
  })
})

// Node can be told to warn of what gives us its pipe handles, or to deny it: then they are sockets.
describe.each([
  { pipes: 'handles', env: {}, sockets: false },
  { pipes: 'sockets', env: { NODE_PENDING_DEPRECATION: '1' }, sockets: true },
])('pipes that are $pipes', ({ env, sockets }) => {
  it('P8 P9 carry large values in both directions past one who reads late', async ({ lab }) => {
    const program = lab.program({
      'main.ts': ts`
        import { println, readln, spawnProcess } from 'wat-vm'
        const child = spawnProcess(new URL('./echo.ts', import.meta.url))
        const text = 'é'.repeat(300_000)
        const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => child.call([n, text])))
        const input = await readln()
        await println([
          replies.every(([n, same], at) => n === at && same === text),
          input.length,
          await child.call('net?'),
          await child.stop(),
          await readln() === undefined,
        ])`,
      'echo.ts': ts`
        import { serve } from 'wat-vm'
        await serve(body => (body === 'net?' ? process.moduleLoadList.includes('NativeModule net') : body))`,
    })
    const outcome = await lab.run(program, { env, input: JSON.stringify('x'.repeat(2_000_000)) })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(parseAll(outcome.stdout)).toEqual([[true, 2_000_000, sockets, { code: 0 }, true]])
  })
})
