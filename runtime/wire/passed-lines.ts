import { WatError } from '../error.ts'
import type { AnswersOptions } from './answers-options.ts'
import type { Asking, LineRequest, Text } from './passed.ts'
import type { Service } from './service.ts'

/** A power of two. A request whose place is taken is passed on in another way. */
const PLACES = 1024

/** Requests of one link that are passed on as the lines that they are, by their ids. */
export class PassedLines implements Asking {
  size = 0
  readonly #places: (LineRequest | undefined)[] = []
  /** Nobody waits for the one that is being given up. */
  #givingUp = false
  #service: Service | undefined
  readonly #options: AnswersOptions
  readonly #onBegun: (id: number, bytes: number) => void
  readonly #onSettled: () => void

  constructor(options: AnswersOptions, onBegun: (id: number, bytes: number) => void, onSettled: () => void) {
    this.#options = options
    this.#onBegun = onBegun
    this.#onSettled = onSettled
  }

  /** Passes on a request for what serves. False: it has to be passed on in another way. */
  pass(service: Service, id: number, text: Text, bytes: number): boolean {
    const route = service.relays?.route?.()
    if (!route?.passLine || this.#places[id % PLACES]) return false
    const line = route.passLine(id, bytes, text, this)
    if (!line) return false
    this.#service = service
    this.#places[id % PLACES] = line
    this.size++
    service.enter()
    return true
  }

  has(id: number): boolean {
    return this.#places[id % PLACES]?.asked === id
  }

  get ids(): number[] {
    return this.#all().map(({ asked }) => asked)
  }

  /** False when there is none with this id. */
  cancel(id: number): boolean {
    const line = this.#places[id % PLACES]
    if (line?.asked !== id) return false
    this.#giveUp(line, new WatError('cancelled', 'the caller no longer wants the reply'))
    return true
  }

  /** Whoever asked is gone. */
  abandon(reason: WatError): void {
    for (const line of this.#all()) this.#giveUp(line, reason)
  }

  begun({ asked, size }: LineRequest): void {
    this.#onBegun(asked, size)
  }

  replied(line: LineRequest, text: Text): void {
    this.#leave(line, () => this.#options.replyLine?.(line.asked, text))
  }

  passedBack(line: LineRequest, body: unknown): void {
    this.#leave(line, () => this.#options.reply(line.asked, body))
  }

  failed(line: LineRequest, error: WatError): void {
    this.#leave(line, () => {
      if (!this.#givingUp) this.#options.fail(line.asked, error)
    })
  }

  #leave(line: LineRequest, answer: () => void): void {
    this.#places[line.asked % PLACES] = undefined
    this.size--
    try {
      answer()
    } catch (error) {
      this.#options.fail(line.asked, error)
    }
    this.#service?.leave()
    this.#onSettled()
    this.#options.onRoom()
  }

  #giveUp(line: LineRequest, reason: WatError): void {
    this.#givingUp = true
    try {
      line.giveUp(reason)
    } finally {
      this.#givingUp = false
    }
  }

  #all(): LineRequest[] {
    return this.#places.filter(line => line !== undefined)
  }
}
