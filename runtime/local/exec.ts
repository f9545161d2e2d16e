import { execa } from 'execa'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whoever has started something may have to kill it when nothing can be loaded any more. */
export { killProcessTree } from './treekill.ts'
export { wakeAtEnd } from './waker.ts'

/** A started process and the pipes that its parent holds. */
export interface Execution {
  process: ChildProcess
  pid: number
  stdin: Socket
  stdout: Socket
  stderr: Socket
  /** Its end tells the child that this process is gone. */
  lifeline: Duplex
  /** Its end tells the child's guard the same. */
  guard: Duplex
}

type Pipes = [Socket, Socket, Socket, Duplex, Duplex]

/**
 * What a start takes: both ends of five pipes, and those of the one over which the system tells whether it could
 * start the command. When the last of them is missing Node leaves the others open for ever.
 */
const DESCRIPTORS = 12

/**
 * Starts a command as the leader of its own process group, with pipes of its own. Rejects with the error of the
 * system when it cannot. This is the one file that imports execa, loaded with the first spawn because that takes
 * longer than a first reply.
 */
export async function exec(
  file: string,
  args: string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): Promise<Execution> {
  probeDescriptors()
  const subprocess = execa(file, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: false,
    detached: true, // setsid: a group and a session of its own, out of reach of the terminal's signals
    cleanup: false, // the guard outlives even a SIGKILL of this process, an exit handler does not
    buffer: false,
    reject: false,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  const child = subprocess.nodeChildProcess
  const pipes = child.stdio as unknown as Pipes
  if (child.pid === undefined) {
    for (const pipe of pipes) pipe.destroy()
    const { cause } = await subprocess
    throw cause instanceof Error ? cause : new Error('no reason given')
  }
  const [stdin, stdout, stderr, lifeline, guard] = pipes
  return { process: child, pid: child.pid, stdin, stdout, stderr, lifeline, guard }
}

/** Throws when there are not enough descriptors left. */
function probeDescriptors(): void {
  const probes: number[] = []
  try {
    for (let n = 0; n < DESCRIPTORS; n++) probes.push(openSync('/dev/null', 'r'))
  } finally {
    for (const fd of probes) closeSync(fd)
  }
}
