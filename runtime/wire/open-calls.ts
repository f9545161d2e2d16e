/** Something that gets a number while it is open; 0 before. */
export interface Numbered {
  id: number
}

/** A power of two, as every length of the table; at most half of it is taken. */
const FIRST_SLOTS = 64

/**
 * The open calls by their ids. Ids count up, for a reply to a call that was given up may still come and
 * must not be taken for another's; so a table in which each id has one place finds a call faster than a
 * map does. An id whose place is taken by a call that is slow to settle is passed over.
 */
export class OpenCalls<Call extends Numbered> {
  /** The last id that was given. */
  lastId = 0
  size = 0
  #slots = table<Call>(FIRST_SLOTS)
  #mask = FIRST_SLOTS - 1

  /** Gives a call its id. */
  add(call: Call): number {
    if (2 * this.size >= this.#slots.length) this.#grow(2 * this.#slots.length)
    do this.lastId++
    while (this.#slots[this.lastId & this.#mask] !== undefined)
    call.id = this.lastId
    this.#slots[this.lastId & this.#mask] = call
    this.size++
    return this.lastId
  }

  get(id: number): Call | undefined {
    const call = this.#slots[id & this.#mask]
    return call?.id === id ? call : undefined
  }

  /** False when it was not open. */
  delete(call: Call): boolean {
    if (this.get(call.id) !== call) return false
    this.#slots[call.id & this.#mask] = undefined
    this.size--
    return true
  }

  /** All of them, in the order of their ids. */
  all(): Call[] {
    return this.#slots.filter(call => call !== undefined).sort((a, b) => a.id - b.id)
  }

  /** The same; none are left. */
  drain(): Call[] {
    const calls = this.all()
    this.#slots.fill(undefined)
    this.size = 0
    return calls
  }

  #grow(slots: number): void {
    const calls = this.drain()
    this.#slots = table(slots)
    this.#mask = slots - 1
    for (const call of calls) this.#slots[call.id & this.#mask] = call
    this.size = calls.length
  }
}

function table<Call>(slots: number): (Call | undefined)[] {
  return Array.from({ length: slots }, () => undefined)
}
