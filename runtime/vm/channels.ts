import type { Channel } from '../channel/index.ts'
import { WatError } from '../error.ts'

const given = new Map<string, Channel>()

/** The thread that started this one has given it a channel. */
export function giveChannel(name: string, channel: Channel): void {
  given.set(name, channel)
}

/** A channel that this thread was given. Throws `denied` when there is none of that name. */
export function channelOf(name: string): Channel {
  const channel = given.get(name)
  if (channel) return channel
  const names = given.size > 0 ? `; it has ${[...given.keys()].join(', ')}` : ''
  throw new WatError('denied', `this program was given no channel called ${JSON.stringify(name)}${names}`)
}
