// Every process of a tree that is going to be killed: it grows what is below it, passes orders on to
// their address, and behaves badly when told to.
import { spawn, spawnSync } from 'node:child_process'
import { serve, spawnProcess, self, type Process } from 'wat-vm'

interface Order {
  op: 'census' | 'misbehave' | 'hang' | 'die'
  /** Where: a list of child numbers from here on down. */
  at?: number[]
  how?: string
}

const [depth = 0, width = 0] = self.args.map(Number)
const limbs: Process<Order, unknown>[] = Array.from({ length: depth > 0 ? width : 0 }, () =>
  spawnProcess(new URL(import.meta.url), {
    name: 'limb',
    args: [String(depth - 1), String(width)],
  }),
)
self.onStop(() => console.error(`hook ${process.pid}`))
await Promise.all(limbs.map(limb => limb.ready))

async function obey({ op, at = [], how = '' }: Order): Promise<unknown> {
  const [next, ...rest] = at
  if (next !== undefined) return limbs[next]?.call({ op, at: rest, how })
  if (op === 'die') return setImmediate(deaths[how] as () => void)
  if (op === 'misbehave') return behaviours[how]?.()
  if (op === 'hang') return new Promise(() => {})
  const below = await Promise.allSettled(limbs.map(limb => limb.call({ op }, { timeout: 3000 })))
  return {
    pid: process.pid,
    below: below.map(answer => (answer.status === 'fulfilled' ? answer.value : null)),
  }
}

const deaths: Record<string, () => void> = {
  throw() {
    throw new Error('told to throw')
  },
  reject: () => void Promise.reject(new Error('told to reject')),
  exit: () => process.exit(7),
  abort: () => process.abort(),
  oom() {
    for (const hoard: unknown[] = []; ;) hoard.push(Array.from({ length: 1000 }, Math.random))
  },
}

const behaviours: Record<string, () => void> = {
  idle() {},
  stuck: () =>
    void setImmediate(() => {
      for (;;);
    }),
  stuckInChild: () => void setImmediate(() => spawnSync('sleep', ['1000'])),
  deaf() {
    process.removeAllListeners('SIGTERM')
    process.on('SIGTERM', () => {})
    setInterval(() => {}, 1000)
  },
  holder: () => void [1, 2].map(() => spawn('sleep', ['1000'], { stdio: 'inherit' })),
  spawner() {
    let left = 40
    const timer = setInterval(
      () => (left-- > 0 ? spawn('sleep', ['1000'], { stdio: 'inherit' }) : clearInterval(timer)),
      25,
    )
  },
}

await serve(obey)
