import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'

/** How a process ends with megabytes on the way, and what its parent or its shell is told of it. */
const ways = {
  'process.exit': { end: ts`process.exit(7)`, code: 7, signal: undefined, panic: undefined },
  'a throw': { end: ts`throw new Error('boom')`, code: 2, signal: undefined, panic: 'boom' },
  'an unhandled rejection': {
    end: ts`void Promise.reject(new Error('boom'))`,
    code: 2,
    signal: undefined,
    panic: 'boom',
  },
  SIGTERM: {
    end: ts`process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)`,
    code: undefined,
    signal: 'SIGTERM',
    panic: undefined,
  },
} as const

const CALLS = 8
const REPLY_CHARS = 500_000
const VALUES = 3000
const PRINTED = Array.from({ length: VALUES }, (_, n) => `[${n} "${'v'.repeat(1000)}"]\n`).join('')

/** For programs: what they write, each piece with its number. */
const pieces = ts`
  const reply = (n: number) => n + 'é'.repeat(${REPLY_CHARS})
  const value = (n: number) => [n, 'v'.repeat(1000)]
  const atLast = (end: () => void) => setImmediate(end)
`

/** For programs: what comes from a source up to its death, which is told behind the last value. */
const untilDeath = ts`
  async function* untilDeath(from: AsyncIterable<any>) {
    try { yield* from } catch (error: any) { if (error.code === 'offline') return; throw error }
    throw new Error('it just ended')
  }
`

describe('nothing that was written before an end is lost', () => {
  for (const [way, { end, code, signal, panic }] of Object.entries(ways)) {
    it(`P24 8 MB of replies and 3 MB of values, then ${way}: a parent that was busy gets all of it`, async ({
      lab,
    }) => {
      const program = lab.program({
        'parent.ts': ts`
          import { println, spawnProcess } from 'wat-vm'
          ${pieces}
          ${untilDeath}
          const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
          const calls = Array.from({ length: ${CALLS} }, (_, n) => child.call(n))
          await child.stdout.recv()
          // The child writes and ends while nobody reads.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
          const replies = await Promise.allSettled(calls)
          await println(replies.map((it, n) => (it.status === 'fulfilled' ? it.value === reply(n) : it.reason.code)))
          await new Promise(resolve => setTimeout(resolve, 300))
          let next = 0
          for await (const got of untilDeath(child.stdout)) {
            if (got[0] !== next || got[1] !== value(next)[1]) throw new Error('value ' + next + ' is not next')
            next++
          }
          const { panic, ...exit } = await child.exited
          await println([next, exit, panic?.message ?? null])`,
        'child.ts': ts`
          import { println, serve } from 'wat-vm'
          ${pieces}
          let left = ${CALLS}
          await println('begun')
          await serve(async (n: number) => {
            if (--left === 0) {
              for (let v = 0; v < ${VALUES}; v++) void println(value(v)).catch(() => {})
              atLast(() => { ${end} })
            }
            while (left > 0) await null
            return reply(n)
          })`,
      })
      const [replies, [values, exit, told]] = await lab.facts(program)
      expect(replies).toEqual(Array.from({ length: CALLS }, () => true))
      expect(values).toBe(VALUES)
      expect(exit).toEqual(code === undefined ? { signal } : { code })
      expect(told ?? undefined).toBe(panic)
    })

    it(`P24 at the root 3 MB, then ${way}: whole in a pipe, a socket and a file, however late they are read`, async ({
      lab,
    }) => {
      const program = lab.program(ts`
        import { println } from 'wat-vm'
        ${pieces}
        setTimeout(() => {
          for (let v = 0; v < ${VALUES}; v++) void println(value(v)).catch(() => {})
          ${end}
        }, 10)`)
      const status = code ?? 143
      const folder = lab.folder()
      const kept = (name: string) => readFileSync(path.join(folder, name), 'utf8')
      const socket = lab.start(program)
      socket.pauseReading()
      setTimeout(() => socket.resumeReading(), 700)
      const [inSocket] = await Promise.all([
        socket.ended,
        lab.sh('{ (exec wat "$1" 2>pipe.err); echo $? >pipe.code; } | { sleep 0.5; cat >pipe.out; }', {
          args: [program],
          cwd: folder,
        }),
        lab.sh('(exec wat "$1" >file.out 2>file.err); echo $? >file.code', { args: [program], cwd: folder }),
      ])
      expect({ code: inSocket.code, signal: inSocket.signal }).toEqual({
        code: code ?? null,
        signal: signal ?? null,
      })
      expect([kept('pipe.code'), kept('file.code')]).toEqual([`${status}\n`, `${status}\n`])
      for (const stdout of [inSocket.stdout, kept('pipe.out'), kept('file.out')])
        expect([stdout.length, digest(stdout)]).toEqual([PRINTED.length, digest(PRINTED)])
      // What is left of it once the shell's own word about a death by signal is taken away.
      const said = [inSocket.stderr, kept('pipe.err'), kept('file.err')]
      for (const stderr of said.map(text => text.replace(/^Terminated\n/m, '')))
        expect(parseAll(stderr).map(record => (record as Tagged<{ message: string }>).value.message)).toEqual(
          panic === undefined ? [] : [panic],
        )
    })
  }

  it('P24 the panic is whole with every pipe full: nobody has read stdout or stderr', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${untilDeath}
        const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        const { panic, ...exit } = await child.exited
        await println([exit, panic!.message.length, (panic!.cause as Error).message])
        const count = async (from: AsyncIterable<unknown>) => {
          let count = 0, last: any
          for await (last of from) count++
          return [count, last.tag ?? last[0]]
        }
        await println([await count(child.stderr), await count(untilDeath(child.stdout))])`,
      'child.ts': ts`
        import { log, println } from 'wat-vm'
        setTimeout(() => {
          for (let n = 0; n < 3000; n++) {
            log.info('x'.repeat(1000))
            void println([n, 'y'.repeat(1000)]).catch(() => {})
          }
          throw new Error('z'.repeat(300_000), { cause: new Error('the cause') })
        }, 10)`,
    })
    expect(await lab.facts(program)).toEqual([
      [{ code: 2 }, 300_000, 'the cause'],
      [
        [3001, 'wat/panic'],
        [3000, 2999],
      ],
    ])
  })

  it('P24 P29 a child that panics with stdout full is heard out, though nobody reads its stdout', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${untilDeath}
        const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url))
        const { panic, ...exit } = await child.exited
        let values = 0
        for await (const [n] of untilDeath(child.stdout)) if (n === values) values++
        await println([exit, panic!.message, values])`,
      'child.ts': ts`
        import { println } from 'wat-vm'
        setTimeout(() => {
          for (let n = 0; n < 3000; n++) void println([n, 'y'.repeat(1000)]).catch(() => {})
          throw new Error('boom')
        }, 10)`,
    })
    expect(await lab.facts(program)).toEqual([[{ code: 2 }, 'boom', 3000]])
  })

  it('P24 the same with more records than a parent holds: they wait for whoever reads late', async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${untilDeath}
        const child = spawnProcess<any, any>(new URL('./child.ts', import.meta.url), { stderr: 'pipe' })
        await child.ready
        await new Promise(resolve => setTimeout(resolve, 700))
        let records = 0, last: any
        for await (last of child.stderr) records++
        const { panic, ...exit } = await child.exited
        await println([records, last.tag, exit, panic!.message.length])
        let values = 0
        for await (const [n] of untilDeath(child.stdout)) if (n === values) values++
        await println(values)`,
      'child.ts': ts`
        import { log, println } from 'wat-vm'
        await println([0])
        setTimeout(() => {
          void println([1]).catch(() => {})
          for (let n = 0; n < 8000; n++) log.info('x'.repeat(1000))
          throw new Error('z'.repeat(300_000))
        }, 10)`,
    })
    expect(await lab.facts(program)).toEqual([[8001, 'wat/panic', { code: 2 }, 300_000], 2])
  })

  it('P24 P30 8 MB of records and the panic of a leaf pass two parents whole, to a stderr that is read late', async ({
    lab,
  }) => {
    const program = lab.program({
      'root.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        const middle = spawnProcess(new URL('./middle.ts', import.meta.url))
        await println(await middle.call(1))
        await println(await middle.call(2))`,
      'middle.ts': ts`
        import { serve, spawnProcess } from 'wat-vm'
        const leaves = []
        await serve(async n => {
          leaves.push(spawnProcess(new URL('./leaf.ts', import.meta.url)))
          if (n === 1) return 'on'
          return (await Promise.all(leaves.map(leaf => leaf.exited))).map(({ code }) => code)
        })`,
      'leaf.ts': ts`
        import { log } from 'wat-vm'
        for (let n = 0; n < 4000; n++) log.info('x'.repeat(1000), n)
        setTimeout(() => { throw new Error('boom') }, 1)`,
    })
    const live = lab.start(program)
    live.pauseReading('stderr')
    expect(await live.stdout.line()).toBe('"on"')
    setTimeout(() => live.resumeReading('stderr'), 700)
    const { code, stdout, stderr } = await live.ended
    expect([code, stdout]).toEqual([0, '"on"\n[2 2]\n'])
    const records = parseAll(stderr) as Tagged<{ address: string; data: number }>[]
    for (const leaf of ['/middle/leaf', '/middle/leaf/2']) {
      const own = records.filter(({ value }) => value.address === leaf)
      expect(own.slice(0, -1).map(({ value }) => value.data)).toEqual(
        Array.from({ length: 4000 }, (_, n) => n),
      )
      expect(own.at(-1)?.tag).toBe('wat/panic')
    }
  })
})

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
