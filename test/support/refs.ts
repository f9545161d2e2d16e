import type { Handler } from '../../runtime/wire/handler.ts'
import { here } from '../../runtime/wire/refs/local-call.ts'
import { LocalTarget } from '../../runtime/wire/refs/local-target.ts'
import type { Ref } from '../../runtime/wire/refs/ref.ts'
import { serviceOf } from '../../runtime/wire/service-of.ts'

interface MadeOptions {
  concurrency?: number
  name?: string
  address?: string
  dispose?: () => void
}

/** What `ref` of a program gives, for one that has peers and no process. */
export function made(target: Handler | object, options: MadeOptions = {}): Ref {
  const { concurrency, name, address = '/maker', dispose = () => {} } = options
  const service = serviceOf(target, { concurrency })
  return new LocalTarget({ here, service, about: { address }, address, name, dispose }).ref
}
