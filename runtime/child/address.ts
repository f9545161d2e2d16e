import { WatError } from '../error.ts'
import { childAddress } from '../vm/identity.ts'

/** Addresses of live children; one that is free again goes to the next of that name. */
const taken = new Set<string>()

/** A place in the tree for a child: `/double`, and `/double/2` for a second one beside it. */
export function takeAddress(name: string): string {
  const first = childAddress(name)
  let address = first
  for (let n = 2; taken.has(address); n++) address = `${first}/${n}`
  taken.add(address)
  return address
}

export function releaseAddress(address: string): void {
  taken.delete(address)
}

/** The name of a child: what the parent chose, or what its program is called. */
export function nameFor(label: string, chosen: string | undefined): string {
  const name = chosen ?? (label.replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'program')
  if (/^[^\s/;"\\]+$/u.test(name)) return name
  throw new WatError(
    'denied',
    `a process name has no spaces, slashes, quotes or semicolons: ${JSON.stringify(name)}`,
  )
}
