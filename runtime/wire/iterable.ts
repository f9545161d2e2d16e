/** Whether its items come one after another: an async generator, a `Receiver`, a web or a Node stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return false
  return typeof value[Symbol.asyncIterator] === 'function'
}

/** What is written for a body: an iterable that is an object like others is told apart from what is its fields. */
export function toBody(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Object.getPrototypeOf(value) !== Object.prototype || !isAsyncIterable(value)) return value
  return new Stream(value)
}

class Stream implements AsyncIterable<unknown> {
  readonly iterable: AsyncIterable<unknown>

  constructor(iterable: AsyncIterable<unknown>) {
    this.iterable = iterable
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.iterable[Symbol.asyncIterator]()
  }
}

const closings = new WeakMap<object, () => void>()

/** Calls back when nobody reads it any more: what it waits for may have to be told. */
export function whenClosed(iterable: AsyncIterable<unknown>, callback: () => void): void {
  closings.set(iterable, callback)
}

/** Nobody reads it any more. */
export function tellClosed(iterable: AsyncIterable<unknown>): void {
  closings.get(iterable instanceof Stream ? iterable.iterable : iterable)?.()
}
