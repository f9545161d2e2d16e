import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { stringify, type Tagged } from '../../runtime/edn/index.ts'
import { Live } from '../support/live.ts'
import { alive, childrenOf, tagged } from '../support/proc.ts'

const here = import.meta.dirname
const wat = path.resolve(here, '../../bin/wat')

/** What a limb answers to a census: itself, and what is below it; `null` for one that gave no answer. */
export interface Census {
  pid: number
  below: (Census | null)[]
}

/** A tree of wat-vms under test: `width` children at each of `depth` levels below the root. */
export class Tree {
  readonly root: Live
  readonly mark = `WAT_TEST_TAG=${randomUUID()}`
  #id = 0

  constructor(depth: number, width: number, stopGraceMs: number, env: NodeJS.ProcessEnv = {}) {
    const [name = '', value = ''] = this.mark.split('=')
    const child = spawn(wat, [path.join(here, 'limb.ts'), String(depth), String(width)], {
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
  }

  /** Asks the whole tree who is there. */
  async census(): Promise<Census> {
    return (await this.order({ op: 'census' })) as Census
  }

  /** Sends an order as a request; resolves with its reply, or `undefined` when it failed. */
  async order(order: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#id
    this.root.write(`#wat/req [${id} ${stringify(order)}]\n`)
    for (;;) {
      const frame = await this.root.stdout.value<Tagged & { value: [number, unknown] }>()
      if (!frame) return undefined
      if (frame.value[0] !== id) continue // late: an earlier order whose target died
      return frame.tag === 'wat/rep' ? frame.value[1] : undefined
    }
  }

  /** Sends an order whose reply nobody waits for. */
  send(order: Record<string, unknown>): void {
    this.root.write(`#wat/req [${++this.#id} ${stringify(order)}]\n`)
  }

  /** Everything that belongs to the tree and runs, guards and foreign children included. */
  running(): { pid: number; pgid: number }[] {
    return tagged(this.mark)
  }

  /** What runs in the groups of these processes: they, their guards, and whatever they started there. */
  inGroupsOf(pids: number[]): number[] {
    const groups = new Set(pids)
    return this.running()
      .filter(({ pgid }) => groups.has(pgid))
      .map(({ pid }) => pid)
  }

  destroy(): void {
    for (const { pid } of this.running()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it went by itself
      }
    }
  }
}

export function pidsOf(census: Census | null): number[] {
  return census === null ? [] : [census.pid, ...census.below.flatMap(pidsOf)]
}

/** The part of a census at an address. */
export function at(census: Census, address: number[]): Census | null {
  return address.reduce<Census | null>((limb, n) => limb?.below[n] ?? null, census)
}

/** Dead children that a living process of ours has not reaped. */
export function zombiesOf(parents: number[]): number[] {
  return parents.filter(alive).flatMap(pid =>
    childrenOf(pid)
      .filter(({ state }) => state === 'Z')
      .map(child => child.pid),
  )
}
