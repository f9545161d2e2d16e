import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from '../../runtime/edn/index.ts'
import { ts, type Lab } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { wat } from '../support/machine.ts'
import { startSshd, sshdMissing } from '../support/sshd.ts'

/** A way to start a program, and where it cannot be had, why. */
export interface Tier {
  name: string
  /** The call in TIERS.md's table that this is. */
  row: string
  missing?: string | false
  /** What `tier.ts` is told to start its programs in this way. */
  prepare(lab: Lab): Promise<Prepared>
}

export interface Prepared {
  args: string[]
  /** Takes down what was set up. */
  close: () => unknown
}

const nothing = () => {}

export const tiers: Tier[] = [
  {
    name: 'a thread',
    row: 'spawnThread(program)',
    prepare: async () => ({ args: ['thread'], close: nothing }),
  },
  {
    name: 'a process',
    row: 'spawnProcess(program)',
    prepare: async () => ({ args: ['process'], close: nothing }),
  },
  {
    name: 'a process behind a launcher',
    row: 'spawnProcess(program, { via })',
    missing: sshdMissing ? false : 'ssh stands for launchers',
    prepare: async () => ({ args: ['via', JSON.stringify(['env'])], close: nothing }),
  },
  {
    name: 'a host at a Unix socket',
    row: 'spawnRemote(program, { at })',
    prepare: lab => viaHost(lab, `unix:${lab.folder()}/own/host.sock`),
  },
  {
    name: 'a host at a TCP port',
    row: 'spawnRemote(program, { at })',
    prepare: lab => viaHost(lab, 'tcp://127.0.0.1:0'),
  },
  {
    name: 'a host behind ssh',
    row: 'spawnProcess(program, { via })',
    missing: sshdMissing,
    async prepare(lab) {
      const host = await startSshd(lab)
      return { args: ['via', JSON.stringify(host.ssh)], close: () => host.close() }
    },
  },
]

/** The module that a conformance program gets `spawn` from. */
export const tierModule = ts`
  import * as wat from 'wat-vm'
  const [kind, at, secret] = wat.self.args
  export function spawn(program: any, options: any = {}): wat.Process {
    if (kind === 'thread') return wat.spawnThread(program, options)
    if (kind === 'process') return wat.spawnProcess(program, options)
    if (kind === 'via') return wat.spawnProcess(program, { via: JSON.parse(at!), ...options })
    return wat.spawnRemote(program, { at: at!, secret: secret!, ...options })
  }
  /** What an error says, as values. */
  export const told = (error: any): any => ({
    code: error.code, message: error.message, address: error.address, exit: error.data?.exit,
    cause: error.cause && told(error.cause),
  })
  export const ended = ({ code, signal, panic }: wat.Exit) => ({ code, signal, panic: panic && told(panic) })`

/** A file with a secret that only its owner can read. */
export function secretFile(lab: Lab): string {
  const file = path.join(lab.folder(), 'secret')
  writeFileSync(file, randomBytes(32), { mode: 0o600 })
  return file
}

/** Starts \`wat host\`; resolves when it listens, with its real address. */
export async function startHost(
  lab: Lab,
  address: string,
  secret: string,
  [command = wat, ...before]: string[] = [],
): Promise<{ host: Live; at: string }> {
  if (address.startsWith('unix:')) privateFolder(path.dirname(address.slice('unix:'.length)))
  const words = before.length > 0 ? [...before, wat] : []
  const host = lab.command(command, [...words, 'host', address, '--secret', secret])
  return { host, at: parse((await host.stdout.line()) ?? '') as string }
}

async function viaHost(lab: Lab, address: string): Promise<Prepared> {
  const secret = secretFile(lab)
  const { host, at } = await startHost(lab, address, secret)
  const close = () => {
    host.signal('SIGTERM')
    return host.ended
  }
  return { args: ['remote', at, secret], close }
}

function privateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
}
