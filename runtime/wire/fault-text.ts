import { encode } from '../edn/encode.ts'
import type { FaultMap } from '../edn/fault.ts'
import { stringify } from '../edn/index.ts'
import { isPlainMap } from './checks.ts'
import { inspected } from './inspected.ts'

/** A record of stderr: `log`, `fault`, `panic` or `raw`. */
export function recordLine(kind: 'log' | 'fault' | 'panic' | 'raw', body: unknown): string {
  return `#wat/${kind} ${kind === 'raw' ? stringify(body) : encodeFault(body as FaultMap)}\n`
}

/** A fault must get through whatever a program put into it: data that EDN cannot carry goes as text. */
export function encodeFault(fault: FaultMap): string {
  try {
    return encode(fault)
  } catch {
    try {
      return encode(withPlainData(fault))
    } catch {
      return encode({ message: 'a fault that cannot be read' }) // its getters give one thing now and one then
    }
  }
}

/** Links of a chain that are looked at for what EDN cannot carry; `toFault` makes no longer ones. */
const MAX_LINKS = 64

function withPlainData(fault: FaultMap): FaultMap {
  const first: FaultMap = {}
  let link: FaultMap | undefined = fault
  let plain = first
  for (let n = 0; link && n < MAX_LINKS; n++) {
    let next: FaultMap | undefined
    const follow: FaultMap = {}
    for (const [key, value] of Object.entries(link)) {
      if (encodable(value)) plain[key] = value
      else if ((key === 'cause' || key === 'panic') && !next && isPlainMap(value)) {
        next = value
        plain[key] = follow
      } else plain[key] = inspected(value)
    }
    link = next
    plain = follow
  }
  return first
}

/** Whether EDN can carry a value. */
export function encodable(value: unknown): boolean {
  try {
    encode(value)
    return true
  } catch {
    return false
  }
}
