import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { it as inLab } from './lab.ts'
import { installed } from './machine.ts'

/** A second host on this machine: a network of its own, reached over one cable. The files are the same. */
export interface Netns {
  /** What stands before a command that is to run there. */
  exec: [string, ...string[]]
  /** Where it is reached from here. */
  address: string
  /** Where this side is reached from there. */
  here: string
  /**
   * From now on the network swallows everything, in both directions, and tells nobody: nothing arrives, no reset and
   * no ICMP comes back, the carrier stays up. What was sent meanwhile is retransmitted after `heal`.
   */
  cut(): void
  heal(): void
  /** Takes the cable out: unlike `cut`, both sides can see it (EHOSTUNREACH after a while, no carrier). */
  unplug(): void
  close(): void
}

const NOBODY = '02:00:00:00:00:99'

/** Why there is no second host on this machine; `false` when there is. */
export const netnsMissing: string | false = missing()

/** A test with a second host. */
export const it = inLab.extend<{ other: Netns }>({
  // eslint-disable-next-line no-empty-pattern
  other: async ({}, use) => {
    const other = startNetns()
    await use(other)
    other.close()
  },
})

export function startNetns(): Netns {
  const id = randomBytes(3)
  const name = `wat-${id.toString('hex')}`
  const [outer, inner] = [`${name}-o`, `${name}-i`]
  // 10.192.0.0/10 in blocks of four addresses: networks of several tests do not meet.
  const network = `10.${192 + (id[0]! & 63)}.${id[1]}`
  const [here, address] = [`${network}.${(id[2]! & 252) + 1}`, `${network}.${(id[2]! & 252) + 2}`]
  const there = (...args: string[]) => ip('-n', name, ...args)

  ip('netns', 'add', name)
  try {
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name)
    ip('address', 'add', `${here}/30`, 'dev', outer)
    there('address', 'add', `${address}/30`, 'dev', inner)
    ip('link', 'set', outer, 'up')
    there('link', 'set', inner, 'up')
    there('link', 'set', 'lo', 'up')
  } catch (error) {
    ip('netns', 'delete', name) // its end of the cable goes with it, and so does the other
    throw error
  }
  const real = { outer: macOf(ip('link', 'show', outer)), inner: macOf(there('link', 'show', inner)) }
  const neighbours = (macs: typeof real) => {
    ip('neighbour', 'replace', address, 'lladdr', macs.inner, 'dev', outer, 'nud', 'permanent')
    there('neighbour', 'replace', here, 'lladdr', macs.outer, 'dev', inner, 'nud', 'permanent')
  }
  neighbours(real)
  return {
    exec: ['ip', 'netns', 'exec', name],
    address,
    here,
    // Frames for a hardware address that nobody has are dropped by the receiver without a word. netem would do the
    // same, but many kernels lack it; a blackhole route or a link that is down gives errors to the sender.
    cut: () => neighbours({ outer: NOBODY, inner: NOBODY }),
    heal: () => {
      ip('link', 'set', outer, 'up')
      neighbours(real)
    },
    unplug: () => ip('link', 'set', outer, 'down'),
    close: () => {
      ip('link', 'delete', outer)
      ip('netns', 'delete', name)
    },
  }
}

function macOf(link: string): string {
  return /link\/ether (\S+)/.exec(link)?.[1] ?? ''
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function missing(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!installed('ip')) return 'ip is not installed (iproute2)'
  try {
    startNetns().close()
    return false
  } catch (error) {
    return `no network namespaces: ${String((error as { stderr?: string }).stderr ?? error).trim()}`
  }
}
