import { Reader } from '../../edn/index.ts'
import { encodeTo } from '../../edn/encode.ts'
import { Out } from '../../edn/out.ts'
import { Carried } from './carried.ts'
import type { Here } from './target.ts'

/**
 * What would arrive if it were sent: a body that does not leave this process is read anew, too, so that both sides
 * see the same as anywhere. Throws what writing it throws.
 */
export function copied(value: unknown, address: string, here: Here): unknown {
  const carried = new Carried(() => address, here)
  const out = new Out()
  out.refer = carried.refer
  encodeTo(out, value)
  const reader = new Reader({ dereference: number => carried.targets[number as number]?.arrive() })
  reader.push(out.take())
  reader.end()
  reader.next()
  carried.sent()
  return reader.value
}
