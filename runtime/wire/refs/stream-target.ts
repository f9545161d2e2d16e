import { isCount } from '../checks.ts'
import { STREAM_BATCH_BYTES } from '../limits.ts'
import { reportStray } from '../strays.ts'
import { Service } from '../service.ts'
import { Batches } from './batches.ts'
import { LocalTarget } from './local-target.ts'
import { pulled, STREAM } from './stream-source.ts'
import type { Here } from './target.ts'

/**
 * An iterable of this process, for one reader elsewhere. It is a reference like others: a call of it answers with the
 * next items, an empty answer is the end, and who lets it go wants no more.
 */
export function streamTarget(iterable: AsyncIterable<unknown>, address: string, here: Here): LocalTarget {
  const batches = new Batches(iterable)
  const close = () => void batches.close().catch(reportStray)
  const pull = (bytes: unknown) =>
    batches.next(isCount(bytes) ? Math.min(bytes, STREAM_BATCH_BYTES) : STREAM_BATCH_BYTES)
  return new LocalTarget({
    here,
    service: new Service(pull, 1, { isWork: true }),
    about: { kind: STREAM, address },
    address,
    name: 'the stream',
    dispose: close,
    arrive: target => pulled(target),
  })
}
