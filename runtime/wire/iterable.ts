/** Whether its items come one after another: an async generator, a `Receiver`, a web or a Node stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return false
  return typeof value[Symbol.asyncIterator] === 'function'
}

/** Whether it is an object like others besides, which would be written as its fields. */
export function isPlainIterable(value: unknown): value is AsyncIterable<unknown> {
  return isAsyncIterable(value) && Object.getPrototypeOf(value) === Object.prototype
}

/** An iterable that is an object like others, told apart from them. */
export class Stream implements AsyncIterable<unknown> {
  readonly #iterable: AsyncIterable<unknown>

  constructor(iterable: AsyncIterable<unknown>) {
    this.#iterable = iterable
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#iterable[Symbol.asyncIterator]()
  }
}

const closings = new WeakMap<object, () => void>()

/** Calls back when nobody reads it any more: what it waits for may have to be told. */
export function whenClosed(iterable: AsyncIterable<unknown>, callback: () => void): void {
  closings.set(iterable, callback)
}

/** Nobody reads it any more. */
export function tellClosed(iterable: AsyncIterable<unknown>): void {
  closings.get(iterable)?.()
}
