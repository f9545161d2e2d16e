import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

/** `npm run soak` asks for the long ones. */
const long = process.env.WAT_LONG !== undefined
const CYCLES = long ? 2000 : 100
const CALLS = long ? 100_000 : 20_000
/** The work is measured after each part of it. */
const PARTS = 5
/** What the heap may have grown by: what is held is a few KB a cycle, and it grows by half a MiB of itself. */
const HEAP_MIB = long ? 4 : 1.5

/** What must not grow: descriptors, handles and timers, listeners, heap and resident memory. */
const measure = ts`
  import { readdirSync } from 'node:fs'
  import { getEventListeners } from 'node:events'
  async function measure(signal: AbortSignal) {
    for (let n = 0; n < 4; n++) { globalThis.gc?.(); await new Promise(resolve => setTimeout(resolve, 20)) }
    return {
      fds: readdirSync('/proc/self/fd').length,
      resources: process.getActiveResourcesInfo().length,
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      waiting: getEventListeners(signal, 'abort').length,
      heap: process.memoryUsage().heapUsed / 2 ** 20,
      rss: process.memoryUsage().rss / 2 ** 20,
    }
  }`

describe('no leak', { timeout: 280_000 }, () => {
  it(`P38 ${CYCLES} spawn/call/exit cycles leave everything flat`, async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess } from 'wat-vm'
      ${measure}
      const signal = new AbortController().signal
      const cycle = async () => {
        const child = spawnProcess<number, number>(self.args[0]!)
        await child.call(1, { signal, timeout: 60_000 })
        await child.stop()
      }
      const many = async (count: number) => {
        await Promise.all(Array.from({ length: 4 }, async () => { for (let n = 0; n < count; n += 4) await cycle() }))
      }
      await many(40)
      await println(await measure(signal))
      for (let part = 0; part < ${PARTS}; part++) {
        await many(${CYCLES / PARTS})
        await println(await measure(signal))
      }`)
    flat(await lab.facts(program, { args: [fixture('double.ts')], env: { NODE_OPTIONS: '--expose-gc' } }))
  })

  it(`P27 P38 ${CALLS} calls, some of them timed out or cancelled, leave everything flat`, async ({
    lab,
  }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        ${measure}
        const child = spawnProcess<number, number>(new URL('./child.ts', import.meta.url))
        const signal = new AbortController().signal
        const one = (n: number) => {
          if (n % 100 === 1) return child.call(-1, { timeout: 1, signal })
          if (n % 100 === 2) {
            const controller = new AbortController()
            setImmediate(() => controller.abort())
            return child.call(-1, { signal: controller.signal })
          }
          return child.call(n, { signal, timeout: 60_000 })
        }
        const codes: Record<string, number> = {}
        const count = (code: string) => { codes[code] = (codes[code] ?? 0) + 1 }
        const many = async (calls: number) => {
          for (let n = 0; n < calls; n += 200) {
            await Promise.all(Array.from({ length: 200 }, (_, i) =>
              one(n + i).then(() => count('answered'), error => count(error.code))))
          }
        }
        await many(${CALLS / 2})
        await println(await measure(signal))
        for (let part = 0; part < ${PARTS}; part++) {
          await many(${CALLS / PARTS})
          await println(await measure(signal))
        }
        await println(codes)`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        await serve((n: number) => (n < 0 ? new Promise(resolve => setTimeout(resolve, 50)) : n))`,
    })
    const facts = await lab.facts(program, { env: { NODE_OPTIONS: '--expose-gc' } })
    const codes = facts.pop()
    flat(facts)
    // On a busy machine one of the calls that should time out may be answered before its timer is looked at.
    expect(codes.answered + codes.timeout + codes.cancelled).toBe(CALLS * 1.5)
    expect(codes.answered / (CALLS * 1.5)).toBeCloseTo(0.98, 3)
  })
})

function flat(measured: any[]): void {
  expect(measured.length).toBe(PARTS + 1)
  const [before, after] = [measured[0], measured.at(-1)]
  expect(after.fds).toBeLessThanOrEqual(before.fds)
  expect(after.resources).toBeLessThanOrEqual(before.resources)
  expect(after.listeners).toBe(before.listeners)
  expect(after.waiting).toBe(before.waiting)
  expect(after.heap - before.heap).toBeLessThan(HEAP_MIB)
  // V8 grows its young generation once, by tens of MB, when it finds the time; a leak grows in every part.
  const growth = measured.slice(1).map((part, n) => part.rss - measured[n].rss)
  expect(
    Math.min(...growth),
    `resident memory: ${JSON.stringify(measured.map(part => part.rss))}`,
  ).toBeLessThan(4)
}
