import { canon, CANONS } from './canon.ts'

/** A map with any EDN value as key; composite keys are found by value. They must not be changed once inside. */
export class EdnMap<K = unknown, V = unknown> extends Map<K, V> {
  // Canonical form → the key as it was put in, for every key that is not its own canonical form.
  #index: Map<unknown, K> | undefined

  constructor(entries?: Iterable<readonly [K, V]> | null) {
    super()
    if (entries) for (const [key, value] of entries) this.set(key, value)
  }

  override get(key: K): V | undefined {
    return super.get(this.own(key))
  }

  override has(key: K): boolean {
    return super.has(this.own(key))
  }

  override set(key: K, value: V): this {
    return super.set(this.own(key, true), value)
  }

  override delete(key: K): boolean {
    const own = this.own(key)
    this.#index?.delete(canon(own))
    return super.delete(own)
  }

  override clear(): void {
    this.#index = undefined
    super.clear()
  }

  /** @internal */
  [CANONS](): Iterable<unknown> {
    return canonsOf(this.keys(), this.#index)
  }

  private own(key: K, add = false): K {
    const form = canon(key) as K
    const known = this.#index?.get(form)
    if (known !== undefined) return known
    if (Object.is(form, key) || form === key) return key
    // A number stored as itself, asked for as a bigint or a Double.
    if (typeof form === 'number' && super.has(form)) return form
    if (add) (this.#index ??= new Map()).set(form, key)
    return key
  }
}

/** A set of any EDN values; composite members are found by value. They must not be changed once inside. */
export class EdnSet<T = unknown> extends Set<T> {
  #index: Map<unknown, T> | undefined

  constructor(members?: Iterable<T> | null) {
    super()
    if (members) for (const member of members) this.add(member)
  }

  override has(member: T): boolean {
    return super.has(this.own(member))
  }

  override add(member: T): this {
    return super.add(this.own(member, true))
  }

  override delete(member: T): boolean {
    const own = this.own(member)
    this.#index?.delete(canon(own))
    return super.delete(own)
  }

  override clear(): void {
    this.#index = undefined
    super.clear()
  }

  /** @internal */
  [CANONS](): Iterable<unknown> {
    return canonsOf(this.values(), this.#index)
  }

  private own(member: T, add = false): T {
    const form = canon(member) as T
    const known = this.#index?.get(form)
    if (known !== undefined) return known
    if (Object.is(form, member) || form === member) return member
    // A number stored as itself, asked for as a bigint or a Double.
    if (typeof form === 'number' && super.has(form)) return form
    if (add) (this.#index ??= new Map()).set(form, member)
    return member
  }
}

function* canonsOf<T>(own: Iterable<T>, index: Map<unknown, T> | undefined): Iterable<unknown> {
  if (index === undefined) return yield* own
  const forms = new Map<T, unknown>()
  for (const [form, value] of index) forms.set(value, form)
  for (const value of own) yield forms.has(value) ? forms.get(value) : value
}
