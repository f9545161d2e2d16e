import { layOut } from '../../runtime/channel/layout.ts'
import { Thread, type Job, type Of } from './jobs.ts'

export interface Stress {
  messages: number
  seed: number
  /** The size of the ring: a small one is full, and laps, all the time. */
  bytes?: number
  /** The longest pause in ms, and among how many messages there are ten. */
  pauses?: number
  every?: number
}

export interface Stressed extends Of<'read'> {
  who: string
}

/** Positions wrap soon after the start. */
const START = -(2 ** 20)

/** Readers of different speeds, each a thread of its own. */
const READERS: Record<string, Partial<Job>> = {
  'blocking, without pauses': { way: 'block', pauses: 0 },
  'blocking, with pauses': { way: 'block' },
  'awaiting, with pauses': { way: 'await' },
  'lossy, with pauses': { way: 'block', lossy: true },
}

/** One thread writes, with pauses, and every reader looks at every byte. */
export async function stress(settings: Stress): Promise<Stressed[]> {
  const { messages, seed, bytes = 65536, pauses = 2, every } = settings
  const { buffer } = layOut(bytes, Object.keys(READERS).length, START)
  const common = { buffer, pattern: { seed, most: 32 }, pauses, every }
  const readers = Object.entries(READERS).map(([who, job], index) => ({
    who,
    thread: new Thread({ ...common, ...job, does: 'read', number: index + 1 }),
  }))
  await Promise.all(readers.map(({ thread }) => thread.tells('ready')))
  const writer = new Thread({ ...common, does: 'write', count: messages })
  const told = await Promise.all(
    readers.map(async ({ who, thread }) => ({ who, ...(await thread.tells('read')) })),
  )
  await Promise.all([writer, ...readers.map(({ thread }) => thread)].map(thread => thread.exited))
  return told
}

/** What is wrong with it: a message lost to who is not lossy, one that is not as it was written, a gap not told. */
export function faults(messages: number, told: Stressed[]): string[] {
  return told.flatMap(({ who, read, wrong, missed }) => {
    const found = []
    if (wrong > 0) found.push(`${who}: ${wrong} messages torn or out of order`)
    if (missed > 0 && !who.startsWith('lossy')) found.push(`${who}: ${missed} messages lost`)
    if (read + missed !== messages) found.push(`${who}: ${messages - read - missed} messages lost untold`)
    return found
  })
}
