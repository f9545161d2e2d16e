// Every process of a tree that is going to be killed: it grows what is below it, passes orders on to
// their address, and behaves badly when told to.
import { spawn, spawnSync } from 'node:child_process'
import { prewarm, println, serve, spawnProcess, self, type Process, type Ref } from 'wat-vm'
import { acquaint, befriend, given, own, trouble } from './gossip.ts'

export interface Order {
  op:
    | 'ping'
    | 'misbehave'
    | 'hang'
    | 'flood'
    | 'stuff'
    | 'bulk'
    | 'sprout'
    | 'stop'
    | 'die'
    | 'own'
    | 'befriend'
  /** Where: the names of children from here on down. */
  at?: readonly string[]
  how?: string
  /** Of the child that is meant. */
  name?: string
  /** How many levels a new child grows below itself. */
  depth?: number
  /** When to die, after spawning; below zero in the same tick. */
  ms?: number
  ballast?: string
  friends?: readonly Ref[]
}

const MEGABYTE = 'x'.repeat(1_000_000)

const [depth = 0, width = 0] = self.args.map(Number)
const nodes = new Map<string, Process<Order, unknown>>()
const count = depth > 0 ? width : 0
const spares = process.env.WAT_TEST_SPARES !== undefined && count > 0
if (spares) await prewarm(count)
for (let n = 0; n < count; n++) grow(String(n), depth - 1)
self.onStop(() => console.error(`hook ${process.pid}`))
await Promise.all([...nodes.values()].map(node => node.ready))
if (spares) await prewarm(1)
acquaint([...nodes.values()]).catch(() => {}) // one that dies meanwhile

/** What it inherits tells whose line a process belongs to, also one that is milliseconds old. */
function grow(name: string, levels: number): Process<Order, unknown> {
  const node = spawnProcess<Order, unknown>(new URL(import.meta.url), {
    name: 'node',
    args: [String(levels), String(width)],
    given,
    env: { WAT_TEST_LINE: `${process.env.WAT_TEST_LINE}${name}/` },
  })
  nodes.set(name, node)
  return node
}

async function obey({ at = [], ...order }: Order): Promise<unknown> {
  const [next, ...rest] = at
  if (next === undefined) return orders[order.op](order)
  const node = nodes.get(next)!
  if (rest.length === 0 && order.op === 'flood') sip(node).catch(() => {}) // that it died is what the test is about
  if (rest.length === 0 && order.op === 'stuff') {
    for (let n = 0; n < 4; n++) void node.call({ op: 'hang', ballast: MEGABYTE }).catch(() => {})
    return 'stuffed'
  }
  return node.call({ ...order, at: rest })
}

const orders: Record<Order['op'], (order: Order) => unknown> = {
  ping: async () => (await trouble()) ?? process.pid,
  own: () => own,
  befriend: ({ friends = [] }) => friends.forEach(befriend),
  misbehave: ({ how = '' }) => behaviours[how]?.(),
  hang: () => new Promise(() => {}),
  bulk: () => MEGABYTE,
  stuff: () => new Promise(() => {}),
  async flood() {
    for (;;) await println(MEGABYTE)
  },
  stop: ({ name = '' }) => nodes.get(name)!.stop(),
  die: ({ how = '' }) => void setImmediate(dieOf, how),
  sprout({ name = '', depth: levels = 0, how, ms = 0 }) {
    void prewarm(0) // this one is to be seen from its birth on
    const node = grow(name, levels)
    if (how === undefined) return node.ready
    grow(`${name}b`, 0)
    if (ms < 0) dieOf(how)
    setTimeout(dieOf, ms, how)
    return new Promise(() => {})
  },
}

/** A parent that reads slowly what its child writes as fast as it can: plain values and replies. */
async function sip(node: Process<Order, unknown>): Promise<void> {
  for (let n = 0; n < 4; n++) void node.call({ op: 'bulk' }).catch(() => {})
  while ((await node.stdout.recv()) !== undefined) await new Promise(resolve => setTimeout(resolve, 50))
}

function dieOf(how: string): void {
  if (how.startsWith('SIG')) process.kill(process.pid, how)
  else deaths[how]?.()
}

const deaths: Record<string, () => void> = {
  throw() {
    // Thrown inside a handler it would be the fault of one request.
    process.nextTick(() => {
      throw new Error('told to throw')
    })
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
