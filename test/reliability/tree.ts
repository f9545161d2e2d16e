import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { stringify, Tagged } from '../../runtime/edn/index.ts'
import { Live } from '../support/live.ts'
import { alive, childrenOf, tagged, type ProcessInfo } from '../support/proc.ts'
import type { Order } from './tree-node.ts'
import type { Address } from './plan.ts'

const here = import.meta.dirname
const wat = path.resolve(here, '../../bin/wat')

/** Abortions leave no core files behind. */
const WITHOUT_CORES = 'ulimit -c 0; exec "$0" "$@"'

/** How long a living process has for its answer. */
const ANSWER_MS = 3000

/** A tree of wat-vms under test: `width` children at each of `depth` levels below the root. */
export class Tree {
  readonly root: Live
  /** The nodes that are known to have been there, with their pids. */
  readonly nodes = new Map<string, number>()
  readonly #line = `WAT_TEST_LINE=${randomUUID()}/`
  readonly #waiting = new Map<number, (reply: unknown) => void>()
  #id = 0
  #ended = false

  constructor(depth: number, width: number, stopGraceMs: number, env: NodeJS.ProcessEnv = {}) {
    const [name = '', value = ''] = this.#line.split('=')
    const program = [path.join(here, 'tree-node.ts'), String(depth), String(width)]
    const child = spawn('/bin/sh', ['-c', WITHOUT_CORES, wat, ...program], {
      stdio: 'pipe',
      env: {
        ...process.env,
        PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
        NODE_OPTIONS: '--max-old-space-size=48', // running out of memory should not take long
        ...env,
        WAT_STOP_GRACE_MS: String(stopGraceMs),
        [name]: value,
      },
    })
    this.root = new Live(child)
    void this.#listen()
  }

  /** Learns who is at these addresses; throws if somebody does not answer. */
  async meet(addresses: Address[]): Promise<void> {
    const answers = await Promise.all(addresses.map(at => this.order({ op: 'ping', at }, 60_000)))
    for (const [n, address] of addresses.entries()) {
      const pid = answers[n]
      if (typeof pid !== 'number') throw new Error(`no node at ${address.join('/')}`)
      this.nodes.set(address.join(), pid)
    }
  }

  /** Sends an order as a request; resolves with its reply, or `undefined` when it failed. */
  order(order: Order, withinMs = ANSWER_MS): Promise<unknown> {
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise(resolve => {
      const timer = setTimeout(resolve, withinMs)
      this.#waiting.set(this.#id + 1, reply => {
        clearTimeout(timer)
        resolve(reply)
      })
      this.send(order)
    })
  }

  /** Sends an order whose reply nobody waits for. */
  send(order: Order): void {
    this.root.write(`#wat/req [${++this.#id} ${stringify(order)}]\n`)
  }

  /** Everything alive at an address and below: wat-vms, guards and foreign children of any age. */
  below(address: Address): ProcessInfo[] {
    const line = tagged(this.#line + address.map(name => `${name}/`).join(''))
    // One that was a spare shows the line of its parent: its group tells.
    const groups = this.#groups(address)
    const seen = new Set(line.map(({ pid }) => pid))
    const others = address.length === 0 ? [] : tagged(this.#line)
    return [...line, ...others.filter(({ pid, pgid }) => groups.has(pgid) && !seen.has(pid))]
  }

  /** Who has to live on when somebody dies: everybody else, guards and foreign children included. */
  beside(address: Address): ProcessInfo[] {
    const doomed = this.#groups(address)
    const groups = this.#groups([])
    return this.below([]).filter(
      ({ pid, pgid }) => (groups.has(pgid) || groups.has(pid)) && !doomed.has(pgid) && !doomed.has(pid),
    )
  }

  /** Frees whoever is left. */
  destroy(): void {
    for (const { pid } of this.below([])) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it went by itself
      }
    }
  }

  /** Of the nodes at and below an address; each leads one. */
  #groups(address: Address): Set<number> {
    const below = [...this.nodes].filter(([name]) => isBelow(split(name), address))
    return new Set(below.map(([, pid]) => pid))
  }

  async #listen(): Promise<void> {
    for (;;) {
      const frame = await this.root.stdout.value().catch(() => undefined) // killed inside a form
      if (frame === undefined) break
      if (!(frame instanceof Tagged)) continue // a flood
      const [id, body] = frame.value as [number, unknown]
      this.#waiting.get(id)?.(frame.tag === 'wat/rep' ? body : undefined)
      this.#waiting.delete(id)
    }
    this.#ended = true
    for (const resolve of this.#waiting.values()) resolve(undefined)
  }
}

/** The address behind a key of `nodes`. */
export function split(name: string): Address {
  return name === '' ? [] : name.split(',')
}

export function isBelow(address: Address, above: Address): boolean {
  return above.every((name, n) => address[n] === name)
}

/** Dead children that a living process of ours has not reaped. */
export function zombiesOf(parents: number[]): number[] {
  return parents.filter(alive).flatMap(pid =>
    childrenOf(pid)
      .filter(({ state }) => state === 'Z')
      .map(child => child.pid),
  )
}
