import type { Tagged } from '../edn/index.ts'
import { WatError } from '../error.ts'
import { isPlainMap } from './checks.ts'
import { readHead, type Head } from './head.ts'
import { delayMs } from './timers.ts'

// What stands behind the tag of a frame. Each of these throws `malformed` for what cannot stand there.

export function items(value: unknown): unknown[] {
  return value as unknown[]
}

export function idOf(form: Tagged, least: number, most: number): number {
  const list = form.value
  if (!Array.isArray(list) || list.length < least || list.length > most) {
    const length = least === most ? String(least) : `${least} or ${most}`
    throw new WatError('malformed', `#${form.tag} takes a vector of ${length}`, { data: headOf(form) })
  }
  const id: unknown = list[0]
  if (!isId(id)) throw new WatError('malformed', `#${form.tag} takes a positive integer as its id`)
  return id
}

/** The head of a frame that has one. Throws `malformed`, and tells whoever waits for this id. */
export function headedBy(form: Tagged, id: number): Head {
  try {
    return readHead(items(form.value)[1])
  } catch (cause) {
    throw new WatError('malformed', (cause as WatError).message, { data: { head: { tag: form.tag, id } } })
  }
}

export function pairsOf(form: Tagged): number[] {
  const pairs = idsOf(form)
  if (pairs.length % 2 === 0) return pairs
  throw new WatError('malformed', `#${form.tag} takes pairs of a number and a count`)
}

export function idsOf(form: Tagged): number[] {
  const list = form.value
  if (Array.isArray(list) && list.every(isId)) return list
  throw new WatError('malformed', `#${form.tag} takes a vector of positive integers`)
}

/** What can be said of a frame that is not well formed: whoever waits for this id can be told. */
function headOf({ tag, value }: Tagged): { head?: { tag: string; id: number } } {
  const id: unknown = Array.isArray(value) ? value[0] : undefined
  return isId(id) ? { head: { tag, id } } : {}
}

function isId(id: unknown): id is number {
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0
}

/** The map of a form that takes one. Throws `malformed` for anything else. */
export function mapOf(form: Tagged): Record<string, unknown> {
  const { value } = form
  if (isPlainMap(value)) return value
  throw new WatError('malformed', `#${form.tag} takes a map with keyword keys`)
}

export function graceOf(form: Tagged): number {
  const graceMs = mapOf(form)['grace-ms']
  if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
    throw new WatError('malformed', '#wat/stop takes :grace-ms, a number of milliseconds')
  }
  return delayMs(graceMs)
}
