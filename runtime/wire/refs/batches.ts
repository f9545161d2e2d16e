import { tellClosed } from '../iterable.ts'
import { sizeOf } from './size-of.ts'

/** At the end of a source its next batch is empty. */
const END: readonly unknown[] = []

type Step = { value: unknown } | { error: unknown } | 'end'

/**
 * The items of an iterable in batches, for whoever pulls them: of those that are ready together as many as were asked
 * for in bytes. Nothing is taken from it before somebody pulls, and no more than one item before it is pulled.
 */
export class Batches {
  readonly #iterable: AsyncIterable<unknown>
  #iterator: AsyncIterator<unknown> | undefined
  /** The item behind the last batch, on its way. */
  #ahead: Promise<Step> | undefined
  #ended = false

  constructor(iterable: AsyncIterable<unknown>) {
    this.#iterable = iterable
  }

  /** Of about so many bytes, and one item at least; none is the end. Rejects, behind the last item, with what the iterable throws. */
  async next(bytes: number): Promise<readonly unknown[]> {
    const items: unknown[] = []
    let left = bytes
    let turn: Promise<undefined> | undefined
    while (!this.#ended) {
      const ahead = (this.#ahead ??= this.#step())
      const step: Step | undefined = items.length === 0 ? await ahead : await Promise.race([ahead, turn])
      if (step === undefined) return items // not ready with the others
      if (items.length > 0 && step !== 'end' && 'error' in step) return items
      this.#ahead = undefined
      if (step === 'end') break
      if ('error' in step) {
        this.#ended = true
        throw step.error
      }
      items.push(step.value)
      left -= sizeOf(step.value)
      if (left <= 0) return items
      turn ??= new Promise(resolve => setImmediate(resolve, undefined))
    }
    this.#ended = true
    return items.length > 0 ? items : END
  }

  /** No more are wanted: the iterable is told, so that it can clean up. Rejects with what that throws. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    tellClosed(this.#iterable)
    await this.#iterate().return?.()
  }

  #iterate(): AsyncIterator<unknown> {
    return (this.#iterator ??= this.#iterable[Symbol.asyncIterator]())
  }

  async #step(): Promise<Step> {
    try {
      const { done, value } = await this.#iterate().next()
      return done === true ? 'end' : { value }
    } catch (error) {
      return { error }
    }
  }
}
