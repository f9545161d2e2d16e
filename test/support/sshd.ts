import { execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import { it as inLab, type Lab } from './lab.ts'
import { Live } from './live.ts'
import { installed } from './machine.ts'
import { descendants, gone } from './proc.ts'

/** A host that is reached over a real OpenSSH, and has `node` and `wat` in the PATH of its commands. */
export interface Sshd {
  /** The command that runs there what is appended: `[...ssh, 'wat', 'double.ts']`. */
  ssh: [string, ...string[]]
  port: number
  /** The client's configuration, in which the host is called `host`. */
  config: string
  /** What it has logged so far. */
  readonly log: string
  /** Kills the connections that are open, from its side; new ones are taken. */
  drop(): void
  /** Ends it and its connections. What was started through it is left to itself. */
  close(): Promise<void>
}

const isRoot = process.getuid?.() === 0
const binary = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(executable) ?? 'sshd'

/** Why there is no sshd on this machine; `false` when there is. */
export const sshdMissing: string | false = missing()

/** A test with a host behind ssh. What is started there carries the mark of the lab and may not survive either. */
export const it = inLab.extend<{ host: Sshd }>({
  host: async ({ lab }, use) => {
    const host = await startSshd(lab)
    await use(host)
    await host.close()
  },
})

/** Starts one. With a `Netns` it listens on that other host. */
export async function startSshd(
  lab: Lab,
  at: { exec: string[]; address: string } = { exec: [], address: '127.0.0.1' },
): Promise<Sshd> {
  const folder = lab.folder()
  const file = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 })
    return path.join(folder, name)
  }
  for (const key of ['host', 'client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(folder, key)])
  const publicKey = (name: string) => readFileSync(path.join(folder, `${name}.pub`), 'utf8')
  const port = await freePort()
  const authorized = file('authorized_keys', publicKey('client'))
  const server = file('sshd_config', serverConfig(lab, { folder, authorized, port, address: at.address }))
  const known = file('known_hosts', `[${at.address}]:${port} ${publicKey('host')}`)
  const config = file('ssh_config', clientConfig({ folder, known, port, address: at.address }))

  if (isRoot) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  // It starts itself anew for each connection, so it has to be called by its whole path.
  const argv: string[] = [...at.exec, binary, '-D', '-e', '-f', server]
  const [command = '', ...args] = argv
  const sshd = new Live(spawn(command, args, { env: lab.env() }))
  await sshd.stderr.match(/^Server listening on /m)

  const connections = () => descendants(sshd.pid).filter(({ command }) => /^\S*sshd/.test(command))
  return {
    ssh: ['ssh', '-F', config, 'host'],
    port,
    config,
    get log() {
      return sshd.stderr.text
    },
    drop: () => connections().forEach(({ pid }) => kill(pid)),
    close: async () => {
      const all = [sshd.pid, ...connections().map(({ pid }) => pid)]
      all.forEach(kill)
      await gone(all, 5000)
    },
  }
}

interface Place {
  folder: string
  address: string
  port: number
}

function serverConfig(
  lab: Lab,
  { folder, address, port, authorized }: Place & { authorized: string },
): string {
  // The environment of a remote command is the test's own: with its PATH, its mark, and a home without a .bashrc.
  const { PATH, ...rest } = lab.env()
  const marks = Object.entries(rest).filter(([name]) => /^PROCESS_TEST_TAG$|^TMPDIR$/.test(name))
  const env = Object.entries({ PATH, HOME: folder, ...Object.fromEntries(marks) })
  return [
    `ListenAddress ${address}`,
    `Port ${port}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${authorized}`,
    `SetEnv ${env.map(([name, value]) => `"${name}=${value}"`).join(' ')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UseDNS no',
    'PrintMotd no',
    'MaxStartups 100',
    'LogLevel VERBOSE',
    '',
  ].join('\n')
}

function clientConfig({ folder, address, port, known }: Place & { known: string }): string {
  return [
    'Host host',
    `  HostName ${address}`,
    `  Port ${port}`,
    `  User ${userInfo().username}`,
    `  IdentityFile ${folder}/client`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${known}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
    '  ControlPath none',
    '  LogLevel ERROR',
    '',
  ].join('\n')
}

function missing(): string | false {
  if (!executable(binary)) return 'sshd is not installed (openssh-server)'
  if (!installed('ssh') || !installed('ssh-keygen')) return 'ssh is not installed (openssh-client)'
  const { shell, username } = userInfo()
  if (!shell || !executable(shell) || /(nologin|false)$/.test(shell)) return `${username} has no login shell`
  if (isRoot && /^root:!/m.test(readFileSync('/etc/shadow', 'utf8'))) return 'root is locked'
  return false
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Nobody else takes it in the moment between: Linux gives such numbers out in no order. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone meanwhile
  }
}
