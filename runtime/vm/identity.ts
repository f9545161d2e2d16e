import { BASIC_PROTOCOL, DEFAULT_MAX_FRAME_BYTES, PROTOCOL } from '../wire/limits.ts'
import { delayMs } from '../wire/timers.ts'

/** How long a graceful stop may take unless `stopGrace` says otherwise. */
export const DEFAULT_STOP_GRACE_MS = 5000

/**
 * Who this process is. `library` is a plain Node program that imported the package: it can spawn, but
 * nobody holds its pipes. Written once, by the bootstrap.
 */
export const identity = {
  role: 'library' as 'library' | 'root' | 'child',
  /** Its place in the tree: `/` for a root, `/double` for its child, and so on. */
  address: '/',
  name: 'host',
  args: [] as string[],
  /** What whoever started it has given it, by name. */
  given: {} as Record<string, any>,
  /** Whether it is a thread of another process: signals and the working directory are not its own. */
  thread: false,
  /** Milliseconds a graceful stop may take; what it spawns inherits it. */
  stopGraceMs: DEFAULT_STOP_GRACE_MS,
  maxFrame: DEFAULT_MAX_FRAME_BYTES,
  /** The version of the protocol that the parent is known to speak. */
  protocol: BASIC_PROTOCOL,
  /** The version that could be spoken too, where the parent has told of any. */
  mostProtocol: undefined as number | undefined,
}

/** What the parent tells a child through its environment, and the bootstrap removes again. */
export const environment = {
  address: 'WAT_ADDRESS',
  name: 'WAT_NAME',
  stopGrace: 'WAT_STOP_GRACE_MS',
  maxFrame: 'WAT_MAX_FRAME_BYTES',
  protocol: 'WAT_PROTOCOL',
  lifeline: 'WAT_LIFELINE_FD',
  programSource: 'WAT_SEAT',
  given: 'WAT_GIVEN',
  thread: 'WAT_THREAD',
  guard: 'WAT_GUARD_FD',
} as const

/** Takes over what the parent told, and removes it so that nothing this process starts inherits it. */
export function adoptEnvironment(env: NodeJS.ProcessEnv): {
  lifelineFd: number | undefined
  /** What a root that has a terminal holds as long as it takes Ctrl-C itself (bin/terminal-guard). */
  guardFd: number | undefined
  /** Whether it gets its program in a `#wat/run` frame: at once, or some day, as a spare. */
  source: 'sent' | 'spare' | undefined
  /** Whether a `#wat/given` frame comes before its program runs. */
  isGiven: boolean
} {
  const take = (name: string) => {
    const value = env[name]
    if (value !== undefined) delete env[name]
    return value
  }
  const address = take(environment.address)
  identity.role = address === undefined ? 'root' : 'child'
  identity.address = address || '/'
  identity.name = take(environment.name) ?? identity.address.slice(identity.address.lastIndexOf('/') + 1)
  identity.stopGraceMs = delayMs(positive(take(environment.stopGrace)) ?? identity.stopGraceMs)
  identity.maxFrame = positive(take(environment.maxFrame)) ?? identity.maxFrame
  const protocol = positive(take(environment.protocol))
  if (protocol !== undefined) {
    identity.protocol = Math.min(PROTOCOL, protocol)
    if (protocol < PROTOCOL) identity.mostProtocol = PROTOCOL
  }
  identity.thread = take(environment.thread) !== undefined
  const source = take(environment.programSource)
  return {
    lifelineFd: positive(take(environment.lifeline)),
    guardFd: positive(take(environment.guard)),
    source: source === 'sent' || source === 'spare' ? source : undefined,
    isGiven: take(environment.given) !== undefined,
  }
}

/** The address of something that this process starts. */
export function childAddress(name: string): string {
  return identity.address === '/' ? `/${name}` : `${identity.address}/${name}`
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text)
  return text !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined
}
