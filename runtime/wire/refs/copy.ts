import { Reader } from '../../edn/index.ts'
import { encodeTo } from '../../edn/encode.ts'
import { Out } from '../../edn/out.ts'
import { Arrival } from './arrival.ts'
import { Carried } from './carried.ts'
import { toBody } from '../iterable.ts'
import { Unread } from '../unread.ts'
import type { Here } from './target.ts'

interface Copy {
  readonly value: unknown
  /** The references in it. */
  readonly arrival: Arrival | undefined
}

/**
 * What would arrive if it were sent: a body that does not leave this process is read anew, too, so that both sides
 * see the same as anywhere. Throws what writing it throws.
 */
export function copied(value: unknown, address: string, here: Here): Copy {
  if (value instanceof Unread) return { value, arrival: undefined } // nothing can change it
  const carried = new Carried(() => address, here)
  const out = new Out()
  out.refer = carried.refer
  encodeTo(out, toBody(value))
  const arrival = carried.size > 0 ? new Arrival(carried.targets, () => {}) : undefined
  const reader = new Reader({ dereference: number => arrival?.at(number) })
  reader.push(out.take())
  reader.end()
  reader.next()
  carried.sent(false)
  return { value: reader.value, arrival }
}
