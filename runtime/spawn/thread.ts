import type { ResourceLimits } from '../ambient.ts'
import type { Channel } from '../channel/index.ts'
import { WatError } from '../error.ts'
import { PROTOCOL } from '../wire/limits.ts'
import type { Program } from '../child/program.ts'
import { resolveOptions, type Settings, type SpawnOptions } from '../child/options.ts'
import { Process } from '../child/process.ts'

/** With less V8 cannot even set a thread up, and ends the whole process. */
const LEAST = { heapMb: 4, stackMb: 0.5 }

/** How `spawnThread` starts a program. */
export interface ThreadOptions<C = any> extends Omit<SpawnOptions<C>, 'cwd' | 'via' | 'send' | 'silence'> {
  /** Bounds of its memory, as Node's Worker takes them: a thread that goes over them ends, and nothing else. */
  resourceLimits?: ResourceLimits | undefined
  /** Channels in shared memory, by the names under which `self.channel(name)` gives them to the program. */
  channels?: Record<string, Channel> | undefined
}

/**
 * Starts a program as a thread of this process, with everything that a process has: its own three pipes,
 * which are channels in shared memory here, `self`, `serve`, children of its own. Returns at once, and rejects
 * as `spawnProcess` does. Its crash, its endless loop and its lack of memory are its own; a native crash, an
 * `abort` or a `chdir` is the whole process's. `pid` is that of the process; SIGKILL ends the thread, other
 * signals are told to it alone.
 */
export function spawnThread<Req = any, Res = any, C = any>(
  program: Program<C, Req, Res>,
  options: ThreadOptions<C> = {},
): Process<Req, Res> {
  const { resourceLimits, channels = {}, ...rest } = options
  for (const name of ['cwd', 'via', 'send', 'silence'] as const) {
    if (name in rest) throw new WatError('denied', `a thread has no ${name} of its own`)
  }
  const { maxOldGenerationSizeMb: heap = LEAST.heapMb, stackSizeMb: stack = LEAST.stackMb } =
    resourceLimits ?? {}
  if (heap < LEAST.heapMb || stack < LEAST.stackMb) {
    throw new WatError(
      'denied',
      `a thread needs a heap of ${LEAST.heapMb} MB and a stack of ${LEAST.stackMb} MB`,
    )
  }
  const settings = resolveOptions(program, rest)
  if (settings.program.kind === 'command')
    throw new WatError('denied', 'a command is a process, not a thread')
  const start = async (given: Settings, name: string, address: string) => {
    const { Thread } = await import('../thread/thread-start.ts')
    return Thread.start(given, name, address, { resourceLimits, channels })
  }
  return new Process<Req, Res>(settings, options.name, start, PROTOCOL)
}
