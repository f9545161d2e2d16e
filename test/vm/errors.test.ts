import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { repository } from '../support/machine.ts'
import { secretFile, startHost, tierModule } from '../tiers/tiers.ts'

const runtime = JSON.stringify(path.join(repository, 'dist/core.js'))

const kid = ts`
  import { serve } from 'wat-vm'
  function fails(how: string): never {
    throw new Error(how)
  }
  await serve(async (how: string) => {
    if (how === 'exit') process.exit(7)
    if (how === 'slow') await new Promise(() => setTimeout(() => {}, 60_000))
    if (how === 'large') return 'x'.repeat(2e5)
    fails(how)
  })`

/** The line of the program that is expected in the stack bears this. */
const HERE = '/* here */'

const ways: Record<string, string> = {
  'an awaited call': `await child.call('boom') ${HERE}`,
  'a call in a function': `const ask = async () => {\n  await child.call('boom') ${HERE}\n}\nawait ask()`,
  'a call that nobody awaits': `void child.call('boom') ${HERE}\nsetInterval(() => {}, 1000)`,
  'a call of many that are awaited': `await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    if (n < 39) return child.call('boom').catch(() => {})
    await child.call('boom') ${HERE}
  }))`,
  'a call with then': `await child.call('boom').then(value => value) ${HERE}`,
  'a call after others': `for (let n = 0; n < 50; n++) await child.call('boom').catch(() => {})\nawait child.call('boom') ${HERE}`,
  'an exit': `await child.call('exit') ${HERE}`,
  'a kill while it waits': `setTimeout(() => child.signal('SIGKILL'), 300)\nawait child.call('slow') ${HERE}`,
  'a timeout': `await child.call('slow', { timeout: 50 }) ${HERE}`,
  'a cancel': `await child.call('slow', { signal: AbortSignal.timeout(50) }) ${HERE}`,
  'a cancelled signal': `await child.call('slow', { signal: AbortSignal.abort() }) ${HERE}`,
  'what EDN cannot carry': `await child.call({ a: [{ b: () => 1 }] }) ${HERE}`,
  'what is too large': `await child.call('x'.repeat(2e5)) ${HERE}`,
  'a reply that is too large': `await child.call('large') ${HERE}`,
  'a call after its end': `await child.stop()\nawait child.call(1) ${HERE}`,
  'a send after its end': `await child.stop()\nawait child.stdin.send(1) ${HERE}`,
  'a send that waits': `setTimeout(() => child.signal('SIGKILL'), 300)
    const stuck = spawnProcess({ command: 'sleep', args: ['100'] })
    setTimeout(() => void stuck.kill(), 400)
    for (;;)
      await stuck.stdin.send('x'.repeat(50_000)) ${HERE}`,
  ready: `await spawnProcess('/no/such/program.ts').ready ${HERE}`,
}

const parent = (way: string) =>
  `import { spawnProcess } from 'wat-vm'\nconst child = spawnProcess(new URL('./kid.ts', import.meta.url), { maxFrame: 100_000 })\n${way}\n`

const lineOf = (source: string) => source.slice(0, source.indexOf(HERE)).split('\n').length

async function panicOf(lab: Lab, program: string, args: string[] = []): Promise<Record<string, any>> {
  const { code, stderr } = await lab.run(program, { args })
  expect(code, stderr).toBeGreaterThan(1)
  return (parseAll(stderr).at(-1) as Tagged<Record<string, any>>).value
}

describe('an error of a call that nobody catches', () => {
  for (const [name, way] of Object.entries(ways)) {
    it(`P60 names the line of the program: ${name}`, async ({ lab }) => {
      const source = parent(way)
      const program = lab.program({ 'parent.ts': source, 'kid.ts': kid })
      const panic = await panicOf(lab, program)
      expect(panic.stack, JSON.stringify(panic)).toContain(`parent.ts:${lineOf(source)}:`)
      expect(panic.stack).not.toMatch(/node:|dist\//)
      expect(panic.address).toBe('/')
    })
  }

  it('P60 in a plain Node program, behind the frames of the one that was called', async ({ lab }) => {
    for (const [way, spawn, timeout] of [
      ['boom', 'spawnProcess', 60_000],
      ['boom', 'spawnThread', 60_000],
      ['slow', 'spawnProcess', 50],
    ]) {
      const source = ts`import { spawnProcess, spawnThread } from ${runtime}
const child = ${spawn}(new URL('./kid.ts', import.meta.url))
await child.call('${way}', { timeout: ${timeout} }) ${HERE}`
      const script = lab.program({ 'script.mjs': source, 'kid.ts': kid })
      const { code, stderr } = await lab.command('node', [script]).end()
      expect(code).toBe(1)
      expect(stderr).toContain(`script.mjs:${lineOf(source)}:`)
      expect(stderr).not.toContain('dist/')
      if (way === 'boom') expect(stderr).toMatch(/kid\.ts:4:.*\n[^]* at call to \/kid\n[^]*script\.mjs/)
    }
  })

  it('P60 P48 at every tier', async ({ lab }) => {
    const secret = secretFile(lab)
    const { host, at } = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const source = `import { spawn } from './tier.ts'\nconst child = spawn(new URL('./kid.ts', import.meta.url))\nawait child.call('boom') ${HERE}\n`
    const program = lab.program({ 'parent.ts': source, 'tier.ts': tierModule, 'kid.ts': kid })
    for (const args of [['thread'], ['process'], ['remote', at, secret], ['via', '["env"]']]) {
      const panic = await panicOf(lab, program, args)
      expect(panic.stack, args[0]).toContain('parent.ts:3:')
      expect(panic.cause, args[0]).toMatchObject({ message: 'boom', address: '/kid' })
      expect(panic.cause.stack, args[0]).toContain('kid.ts:4:')
    }
    host.signal('SIGTERM')
    await host.ended
  })

  it('P60 a fault that passes through several processes names the line of each call', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': `import { spawnProcess } from 'wat-vm'\nconst child = spawnProcess(new URL('./mid.ts', import.meta.url))\nawait child.call('boom')\n`,
      'mid.ts': `import { serve, spawnProcess } from 'wat-vm'\nconst child = spawnProcess(new URL('./kid.ts', import.meta.url))\nawait serve(async (x: string) => {\n  await child.call(x)\n})`,
      'kid.ts': kid,
    })
    const { stack, cause } = await panicOf(lab, program)
    expect(stack).toContain('parent.ts:3:')
    expect(cause).toMatchObject({ address: '/mid/kid', message: 'boom' })
    expect(cause.stack).toMatch(/kid\.ts:4:[^]*at call to \/mid\/kid\n[^]*mid\.ts:4:/)
  })

  it('P60 a stack has ten frames of the program, and as many as Node was told', async ({ lab }) => {
    const source = ts`
      import { println } from 'wat-vm'
      const down = (n: number): any => (n === 0 ? println({ a: () => 1 }) : [down(n - 1)][0])
      const error = await down(12).catch((error: any) => error)
      await println(error.stack.split('\n').filter((line: string) => line.includes('program.ts')).length)
      await println(Error.stackTraceLimit)`
    const [frames] = await lab.facts(lab.program(source))
    expect(frames).toBeGreaterThanOrEqual(10)
    const env = { NODE_OPTIONS: '--stack-trace-limit=7' }
    expect(await lab.facts(lab.program(source), { env })).toContain(7)
  })
})

describe('a process that dies of a fault of another', () => {
  it('P61 says that it did not catch it, and the fault is the cause', async ({ lab }) => {
    const program = lab.program({ 'parent.ts': parent(`await child.call('boom')`), 'kid.ts': kid })
    const panic = await panicOf(lab, program)
    expect(panic).toMatchObject({
      address: '/',
      message: 'did not catch a fault of /kid: boom',
      cause: { address: '/kid', message: 'boom' },
    })
    expect(panic.cause.stack).toContain('kid.ts:4:')
    expect(panic.cause.stack).not.toContain('parent.ts')
  })

  it('P61 P28 each level is told who died and who began it', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const told = (error: any): any => error && [error.code, error.address ?? null, ...(error.cause ? [told(error.cause)] : [])]
        const child = spawnProcess(new URL('./link.ts', import.meta.url), { args: ['2'], name: 'k3', stderr: 'pipe' })
        await println(told((await child.exited).panic))
        await println(await child.call(1).catch((error: any) => [error.data.exit, error.message]))`,
      'link.ts': ts`
        import { self, spawnProcess } from 'wat-vm'
        const depth = Number(self.args[0])
        if (depth === 0) throw new Error('leaf')
        const child = spawnProcess(new URL(import.meta.url), { args: [String(depth - 1)], name: 'k' + depth })
        await child.call(1)`,
    })
    const [chain, [exit, message]] = await lab.facts(program)
    expect(chain).toEqual(['offline', '/k3', ['offline', '/k3/k2', ['handler', '/k3/k2/k1']]])
    expect(exit).toEqual({ code: 2 })
    expect(message).toMatch(/^k3 exited with code 2: did not catch a fault of \/k3\/k2: .*leaf$/)
  })

  it('P61 also of a process that was killed, whose panic nobody has heard', async ({ lab }) => {
    const way = `setTimeout(() => child.signal('SIGKILL'), 300)\nawait child.call('slow')`
    const panic = await panicOf(lab, lab.program({ 'parent.ts': parent(way), 'kid.ts': kid }))
    expect(panic).toMatchObject({
      address: '/',
      message: 'did not catch a fault of /kid: kid was killed by SIGKILL',
      cause: { address: '/kid', exit: { signal: 'SIGKILL' } },
    })
  })

  it('P61 P19 a person is told the same', async ({ lab }) => {
    const program = lab.program({ 'parent.ts': parent(`await child.call('boom')`), 'kid.ts': kid })
    const { stdout } = await lab.sh(`script -qec "wat '$1'" /dev/null </dev/null`, { args: [program] })
    const text = stripVTControlCharacters(stdout).replaceAll('\r', '')
    expect(text).toMatch(
      /^panic \/ handler: did not catch a fault of \/kid: boom\n.*parent\.ts:3:[^]*caused by \/kid handler: boom\n.*kid\.ts:4:/m,
    )
  })
})

describe('the stack of a function that is a program', () => {
  it('P62 names the file and the line where the function is written, at every tier', async ({ lab }) => {
    const secret = secretFile(lab)
    const { host, at } = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const program = lab.program({
      'parent.ts': ts`import { println } from 'wat-vm'
import { spawn } from './tier.ts'
import { imported } from './imported.ts'
interface Given { n: number }
const stack = (error: any) => error.stack
const inline = spawn(async ({ serve }: typeof import('wat-vm'), { n }: Given): Promise<void> => {
  await serve((x: number): number => {
    if (x > n) throw new Error('inline')
    return x
  })
}, { given: { n: 1 } })
await println(await inline.call(2).catch(stack))
const { method } = { async method<T>({ serve }: typeof import('wat-vm')) {
  await serve((x: T) => { throw new TypeError('method') })
} }
await println(await spawn(method).call(2).catch(stack))
await println(await spawn(imported).call(2).catch(stack))
await println((await spawn(() => { setTimeout(() => { throw new Error('same') }) }).exited).panic!.stack)
await println((await spawn(() => { setTimeout(() => { throw new Error('same') }) }).exited).panic!.stack)
await println((await spawn(new Function('throw new Error("text")')).exited).panic!.stack)`,
      'imported.ts': ts`/* above */ export const imported = ({ serve }: any) => serve(() => {
  throw new Error('imported')
})`,
      'tier.ts': tierModule,
    })
    for (const args of [['thread'], ['process'], ['remote', at, secret]]) {
      const stacks = await lab.facts<string>(program, { args })
      const places = [
        /parent\.ts:8:22\b/,
        /parent\.ts:14:33\b/,
        /imported\.ts:2:9\b/,
        /parent\.ts:18:/,
        /parent\.ts:19:/,
      ]
      for (const [n, place] of places.entries()) expect(stacks[n]?.split('\n')[1], args[0]).toMatch(place)
      expect(stacks[5]).toContain('%5Banonymous%5D.mjs')
    }
    host.signal('SIGTERM')
    await host.ended
  })

  it('P62 also of one that is spawned by another', async ({ lab }) => {
    const program = lab.program(ts`import { println, spawnProcess } from 'wat-vm'
const outer = spawnProcess(async ({ serve, spawnProcess }) => {
  const inner = spawnProcess(async ({ serve }) => {
    await serve(() => {
      throw new Error('inner')
    })
  })
  await serve((x: unknown) => inner.call(x))
})
await println(await outer.call(1).catch((error: any) => error.stack))`)
    const [stack] = await lab.facts<string>(program)
    expect(stack).toMatch(
      /program\.ts:5:13\)?\n[^]*at call to \/function\/function\n[^]*program\.ts:8:37[^]*program\.ts:10:27/,
    )
  })
})
