import { WatError } from '../error.ts'
import { FaultReports } from '../vm/throttle.ts'
import { helloFrame } from '../wire/frames.ts'
import { Peer } from '../wire/peer.ts'
import type { Control, PeerOptions } from '../wire/peer-options.ts'
import type { Settings } from './options.ts'

/** A child that closed its stdin is given up this much later, unless its exit tells more before. */
const DEAF_MS = 1000

/** What the one who holds a child does with what its peer tells. */
type Events = Required<
  Pick<Control, 'ready' | 'exit'> & Pick<PeerOptions, 'onEnd' | 'onSettle' | 'onIdle' | 'hurried'>
>

/** This process's end of the link to a child, which it does not serve. `protocol`: what that is known to speak. */
export function childPeer(
  child: { name: string; address: string },
  { maxFrame, maxInFlight, program }: Settings,
  protocol: number,
  { ready, exit, ...events }: Events,
): Peer {
  const { address } = child
  const faults = new FaultReports()
  const blame = (error: WatError) => blamed(error, address)
  const peer: Peer = new Peer({
    other: child,
    address,
    maxFrame,
    maxInFlight,
    control: { ready, exit },
    knowsReferences: program.kind !== 'command',
    endsByFrame: program.kind === 'command' ? 'when known' : 'always',
    blame,
    onFault: error => faults.report(error, blame),
    // Mostly that is its death, which tells more; if it lives on, nothing reaches it.
    onBroken: error => void setTimeout(() => peer.abort(error), DEAF_MS).unref(),
    ...events,
  })
  peer.speak(protocol)
  peer.answers.decline(new WatError('no-handler', 'a parent does not serve its children', { address }))
  return peer
}

/** A child that could speak a newer version does so when it knows that its parent does. */
export function agree(peer: Peer, protocol: number, most: number): void {
  if (most > protocol) peer.outbox.push(helloFrame(most))
  peer.speak(most)
}

/** It gets what it is to be given before everything else. Says why that cannot be sent. */
export function give(peer: Peer, { given }: Settings): WatError | undefined {
  try {
    if (given) peer.give(given)
    return undefined
  } catch (error) {
    return error as WatError
  }
}

/** The same error with the child's name on it: it is the child that broke the protocol. */
function blamed({ code, message, data, cause }: WatError, address: string): WatError {
  return new WatError(code, `from ${address}: ${message}`, {
    address,
    data,
    ...(cause !== undefined && { cause }),
  })
}
