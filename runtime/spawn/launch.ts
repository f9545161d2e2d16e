import { execa } from 'execa'
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A started process and the pipes that its parent holds. */
export interface Launched {
  process: ChildProcess
  stdin: Socket
  stdout: Socket
  stderr: Socket
  /** Its end tells the child that this process is gone. */
  lifeline: Duplex
  /** Its end tells the child's guard the same. */
  guard: Duplex
  /** When it could not be started, why: settles then, or after its exit. */
  failure: Promise<Error | undefined>
}

type Pipes = [Socket, Socket, Socket, Duplex, Duplex]

/**
 * Starts a command as the leader of its own process group, with pipes of its own. This is the one file
 * that imports execa, loaded with the first spawn because that takes longer than a first reply.
 */
export function launch(
  file: string,
  args: string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): Launched {
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
  const [stdin, stdout, stderr, lifeline, guard] = child.stdio as unknown as Pipes
  const failure = subprocess.then(result => (result instanceof Error ? (result.cause ?? result) : undefined))
  return {
    process: child,
    stdin,
    stdout,
    stderr,
    lifeline,
    guard,
    failure: failure as Promise<Error | undefined>,
  }
}
