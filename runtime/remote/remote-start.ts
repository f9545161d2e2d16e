import type { Socket } from 'node:net'
import { dial } from '../net/dial.ts'
import { launchOrderFor } from './launch-order.ts'
import type { Settings } from '../child/options.ts'
import { setStreamRef } from '../io/streams.ts'
import type { PeerOptions } from '../net/peer-options.ts'
import { RemoteProcess, type Transport } from './remote-process.ts'

/** Starts a program on the host at an address. Rejects with what `dial` and `launchOrderFor` reject with. */
export async function startRemote(
  settings: Settings,
  name: string,
  address: string,
  at: string,
  peer: PeerOptions,
): Promise<RemoteProcess> {
  const { launch, greeting } = await launchOrderFor(settings, name, address)
  const socket = (await dial(at, peer)) as Socket
  const transport: Transport = {
    readable: socket,
    writable: socket,
    label: at,
    failure: Promise.resolve(undefined),
    setRef: on => setStreamRef(socket, on),
    close: () => void socket.destroy(),
  }
  return new RemoteProcess(transport, launch, greeting)
}
