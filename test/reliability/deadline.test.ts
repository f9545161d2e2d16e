import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { alive, state, until } from '../support/proc.ts'

/** With work in flight at each of five levels every one keeps a part: a busy machine needs more of it. */
const TREE_GRACE_MS = 3000

/**
 * Every level down to the third starts the next one; the fourth is a leaf that hangs in for(;;). Each one
 * writes what happens to it into a journal. A call goes through to the leaf, or not.
 */
const level = ts`
  import { appendFileSync } from 'node:fs'
  import { println, readln, self, serve, spawnProcess } from 'wat-vm'
  const [depth, journal, pending] = [Number(self.args[0]), self.args[1]!, self.args[2] === 'pending']
  const say = (...event: unknown[]) => appendFileSync(journal, JSON.stringify([depth, ...event]) + '\n')
  self.onStop(() => say('hook'))
  if (depth === 4) {
    if (!pending) { await println(process.pid); for (;;) {} }
    await serve(() => { void println(process.pid); setTimeout(() => { for (;;) {} }, 20); return new Promise(() => {}) })
  }
  const next = spawnProcess<any, any>(import.meta.filename, {
    name: 'level', stopGrace: depth === 0 ? ${TREE_GRACE_MS} : undefined, args: [String(depth + 1), ...self.args.slice(1)],
  })
  void next.exited.then(exit => say('saw', exit))
  const forward = () => next.call(1).catch(error => { say('rejected', error.code, error.data?.exit ?? null); throw error })
  if (depth > 0) {
    void next.stdout.recv().then(println)
    await serve(forward)
  } else {
    const call = pending ? forward().catch(error => error.code) : Promise.resolve('none')
    await println(await next.stdout.recv())
    await readln()
    const started = performance.now()
    const exits = await Promise.all([next.stop(), next.stop(), next.exited])
    await println({ same: exits.every(exit => exit === exits[0]), again: (await next.stop()) === exits[0] })
    await println({ exit: exits[0], ms: performance.now() - started, call: await call })
  }
`

async function stopTree(lab: Lab, ...how: string[]) {
  const program = lab.program({ 'level.ts': level })
  const journal = path.join(path.dirname(program), 'journal')
  const live = lab.start(program, { args: ['0', journal, ...how] })
  const leaf = (await live.stdout.value<number>())!
  // It hangs in its loop from now on, or from 20 ms after its answer.
  await until(
    () => state(leaf) === 'R',
    5000,
    () => 'the leaf is not busy',
  )
  await new Promise(resolve => setTimeout(resolve, 100))
  live.write('"stop"\n')
  const stops = await live.stdout.value<any>()
  const told = await live.stdout.value<any>()
  const leafDied = !alive(leaf)
  const outcome = await live.end()
  const events = readFileSync(journal, 'utf8').trim().split('\n')
  return { outcome, stops, told, leafDied, events: events.map(line => JSON.parse(line) as unknown[]) }
}

describe('one deadline for a whole tree', () => {
  it('P35 a leaf stuck at depth 4: only it is killed, everybody above exits 0 and runs its hook, the deepest first', async ({
    lab,
  }) => {
    const { outcome, stops, told, leafDied, events } = await stopTree(lab)
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' })
    expect(stops).toEqual({ same: true, again: true })
    expect(told).toMatchObject({ exit: { code: 0 }, call: 'none' })
    expect(told.ms).toBeLessThan(TREE_GRACE_MS + 1000)
    expect(leafDied).toBe(true)
    // Who saw which end, and whose hook ran, in the order in which it happened: `saw` before `hook`.
    expect(events).toEqual([
      [3, 'saw', { signal: 'SIGKILL' }],
      [3, 'hook'],
      [2, 'saw', { code: 0 }],
      [2, 'hook'],
      [1, 'saw', { code: 0 }],
      [1, 'hook'],
      [0, 'saw', { code: 0 }],
      [0, 'hook'],
    ])
  })

  it('P35 P29 the same with a call pending through all levels: it rejects at each of them', async ({
    lab,
  }) => {
    const { outcome, stops, told, events } = await stopTree(lab, 'pending')
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' })
    expect(stops).toEqual({ same: true, again: true })
    expect(told).toMatchObject({ exit: { code: 0 }, call: 'offline' })
    expect(told.ms).toBeLessThan(TREE_GRACE_MS + 1000)
    const of = (kind: string) => events.filter(event => event[1] === kind)
    expect(of('saw')).toEqual([
      [3, 'saw', { signal: 'SIGKILL' }],
      [2, 'saw', { code: 0 }],
      [1, 'saw', { code: 0 }],
      [0, 'saw', { code: 0 }],
    ])
    expect(of('hook').map(([depth]) => depth)).toEqual([3, 2, 1, 0])
    expect(of('rejected').map(([depth, , code]) => [depth, code])).toEqual([
      [3, 'offline'],
      [2, 'offline'],
      [1, 'offline'],
      [0, 'offline'],
    ])
  })

  it('P35 stuck children side by side take the time of one: their sibling and their parent run their hooks', async ({
    lab,
  }) => {
    const { code, events } = await stopFamily(
      lab,
      ts`
      if (self.name.startsWith('stuck')) {
        await println('on')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) // stuck, and in nobody's way
      }
      self.onStop(() => appendFileSync(journal, self.name + '\n'))
      if (self.name === 'family') {
        const [polite, ...stuck] = ['polite', 'stuck1', 'stuck2', 'stuck3'].map(child)
        await Promise.all([polite!.ready, ...stuck.map(each => each.stdout.recv())])
      }`,
    )
    expect({ code, events }).toEqual({ code: 'SIGTERM', events: ['polite', 'family'] })
  })

  it('P34 P35 a child may use the time that its parent gives it, though longer than its own grace: the SIGTERM between changes nothing', async ({
    lab,
  }) => {
    const { code, events } = await stopFamily(
      lab,
      ts`
      self.onStop(async () => {
        if (self.name === 'slow') await new Promise(resolve => setTimeout(resolve, 1500))
        appendFileSync(journal, self.name + '\n')
      })
      if (self.name === 'family') await child('slow').ready`,
    )
    expect({ code, events }).toEqual({ code: 'SIGTERM', events: ['slow', 'family'] })
  })
})

/** Sends SIGTERM to a program that serves, and has four seconds. */
async function stopFamily(lab: Lab, source: string): Promise<{ code: unknown; events: string[] }> {
  const head = ts`
    import { appendFileSync } from 'node:fs'
    import { println, self, serve, spawnProcess } from 'wat-vm'
    const journal = self.args[0]!
    const child = (name: string) => spawnProcess(import.meta.filename, { name, args: self.args, stopGrace: 300 })`
  const program = lab.program({ 'family.ts': `${head}\n${source}\nawait serve(n => n)` })
  const journal = path.join(path.dirname(program), 'journal')
  const live = lab.start(program, { args: [journal], env: { WAT_STOP_GRACE_MS: '4000' } })
  live.write('1\n')
  await live.stdout.value()
  live.signal('SIGTERM')
  const { code, signal } = await live.ended
  return { code: signal ?? code, events: readFileSync(journal, 'utf8').trim().split('\n') }
}
