import type { Figure } from '../figure.ts'
import { bytes } from './bytes.ts'
import { chain } from './chain.ts'
import { channelLatency, channelStream } from './channel.ts'
import { codec } from './codec.ts'
import { pipelined, roundTrip, threadCalls, threadRoundTrip } from './exchange.ts'
import { forwarding } from './forwarding.ts'
import { memory } from './memory.ts'
import { coldSpawn, spawner, warmSpawn } from './start.ts'
import { stream } from './stream.ts'
import { text } from './text.ts'
import { tree } from './tree.ts'

/** Every figure, in the order of the table. */
export const figures: Figure[] = [
  ...pipelined,
  roundTrip,
  stream,
  ...codec,
  ...text,
  coldSpawn,
  spawner,
  warmSpawn,
  memory,
  tree,
  chain,
  bytes,
  ...forwarding,
  threadCalls,
  threadRoundTrip,
  channelStream,
  channelLatency,
]
