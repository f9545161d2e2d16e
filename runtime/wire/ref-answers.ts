import type { WatError } from '../error.ts'
import type { AnswersOptions } from './answers-options.ts'
import type { Handling, Item } from './handling.ts'
import type { Service } from './service.ts'
import { CALL_WINDOW_BYTES } from './limits.ts'
import { Waiting } from './waiting.ts'

/** Requests that wait for one service, in their order. */
interface Lane {
  readonly service: Service
  readonly waiting: Waiting<Item>
  bytes: number
  /** Takes back that the service wakes it. */
  readonly leave: () => void
}

/**
 * Requests to references on one link. They wait for their service, each in a lane of its own: one that is busy
 * holds up no other.
 */
export class RefAnswers {
  /** What those that wait hold, about. */
  bytes = 0
  size = 0
  /** Lanes in which there is more than a caller may send. */
  overfull = 0
  readonly #lanes = new Map<Service, Lane>()
  readonly #laneOf = new Map<number, Lane>()
  readonly #handling: Handling
  readonly #options: AnswersOptions
  readonly #onEmptied: () => void

  /** `onEmptied`: nothing waits any more for one of the services. */
  constructor(handling: Handling, options: AnswersOptions, onEmptied: () => void) {
    this.#handling = handling
    this.#options = options
    this.#onEmptied = onEmptied
  }

  request(service: Service, item: Item & { id: number }): void {
    const lane = this.#lanes.get(service)
    if (!lane && service.free && this.#options.room()) return this.#handling.begin(service, item)
    this.#push(lane ?? this.#open(service), item)
  }

  /** There may be room again for answers. */
  resume(): void {
    for (const lane of this.#lanes.values()) this.#next(lane)
  }

  /** The caller no longer wants the reply. False when none waits with this id. */
  cancel(id: number): boolean {
    const lane = this.#laneOf.get(id)
    const item = lane?.waiting.remove(id)
    if (!lane || !item) return false
    item.head?.arrival?.turnAway()
    this.#forget(lane, item)
    this.#closeIfEmpty(lane)
    return true
  }

  /** What waits for this service is refused. */
  withdraw(service: Service, reason: WatError): void {
    const lane = this.#lanes.get(service)
    if (!lane) return
    for (const { id, head } of this.#drain(lane)) {
      head?.arrival?.turnAway()
      this.#options.refuse(id as number, reason)
    }
  }

  /** Takes out all. */
  drain(): Item[] {
    return [...this.#lanes.values()].flatMap(lane => this.#drain(lane))
  }

  #open(service: Service): Lane {
    const lane: Lane = {
      service,
      waiting: new Waiting(),
      bytes: 0,
      leave: service.wait(() => this.#next(lane)),
    }
    this.#lanes.set(service, lane)
    return lane
  }

  #push(lane: Lane, item: Item & { id: number }): void {
    lane.waiting.push(item)
    this.#laneOf.set(item.id, lane)
    this.size++
    this.#count(lane, item.bytes)
  }

  #next(lane: Lane): void {
    const { over } = lane.service
    if (over) return this.withdraw(lane.service, over)
    while (lane.waiting.size > 0 && lane.service.free && this.#options.room()) {
      const item = lane.waiting.shift() as Item
      this.#forget(lane, item)
      this.#handling.begin(lane.service, item)
    }
    this.#closeIfEmpty(lane)
  }

  #drain(lane: Lane): Item[] {
    const items = lane.waiting.drain()
    for (const item of items) this.#forget(lane, item)
    this.#closeIfEmpty(lane)
    return items
  }

  #forget(lane: Lane, { id, bytes }: Item): void {
    this.#laneOf.delete(id as number)
    this.size--
    this.#count(lane, -bytes)
  }

  #count(lane: Lane, bytes: number): void {
    const most = CALL_WINDOW_BYTES + this.#options.maxFrame
    if (lane.bytes >= most) this.overfull--
    lane.bytes += bytes
    this.bytes += bytes
    if (lane.bytes >= most) this.overfull++
  }

  #closeIfEmpty(lane: Lane): void {
    if (lane.waiting.size > 0 || this.#lanes.get(lane.service) !== lane) return
    this.#lanes.delete(lane.service)
    lane.leave()
    this.#onEmptied()
  }
}
