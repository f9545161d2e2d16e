import { isDeepStrictEqual } from 'node:util'
import { plainBodyOf, type Size } from '../work.ts'
import type { Echo, Peer } from './peer.ts'

interface Callee {
  call: (body: unknown) => Promise<unknown>
  close: () => Promise<unknown>
}

/** A peer that has a call: every place in the window is a loop that awaits its own replies. */
export function byCalls(
  name: string,
  start: () => Callee | Promise<Callee>,
  bodyOf: (size: Size) => unknown = plainBodyOf,
): Peer {
  return {
    name,
    async open(sizes): Promise<Echo> {
      const { call, close } = await start()
      const bodies = new Map(sizes.map(size => [size, bodyOf(size)]))
      for (const [size, body] of bodies) {
        if (!isDeepStrictEqual(await call(body), body)) throw new Error(`${name} garbles ${size}`)
      }
      return {
        async exchange(size, count, inFlight) {
          const body = bodies.get(size)
          let left = count
          const place = async () => {
            while (left-- > 0) await call(body)
          }
          await Promise.all(Array.from({ length: Math.min(inFlight, count) }, place))
        },
        close,
      }
    },
  }
}

/** Calls over a channel of messages, which has none of its own. */
export function correlated(post: (message: { id: number; body: unknown }) => void): {
  call: (body: unknown) => Promise<unknown>
  onMessage: (message: unknown) => void
} {
  const open = new Map<number, (body: unknown) => void>()
  let lastId = 0
  return {
    call: body =>
      new Promise(resolve => {
        const id = ++lastId
        open.set(id, resolve)
        post({ id, body })
      }),
    onMessage(message) {
      const { id, body } = message as { id: number; body: unknown }
      open.get(id)?.(body)
      open.delete(id)
    },
  }
}
