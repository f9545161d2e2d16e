import { List, Sym } from '../edn/index.ts'
import { isSymbolText } from '../edn/names.ts'
import type { Arrived } from './arrived.ts'
import type { Callable } from './callable.ts'

/** The methods of `T` as they are called from elsewhere: each gives a promise. */
export type Remote<T> = {
  [
    Name in keyof T as T[Name] extends (...args: any[]) => unknown
      ? Name extends string
        ? Name
        : never
      : never
  ]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Arrived<Awaited<Result>>>
    : never
}

/**
 * The typed other side of an object of methods: `await proxy<typeof methods>(ref).add(1, 2)` calls `(add 1 2)`. Every
 * string property is a method, except `then`. Rejects as `call` does, and with `no-handler` for a method that there
 * is not.
 */
export function proxy<T extends object>(callable: Callable): Remote<T> {
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>()
  return new Proxy(Object.create(null) as Remote<T>, {
    get(_, name) {
      if (typeof name !== 'string' || name === 'then') return undefined
      let method = methods.get(name)
      if (!method) {
        const first = isSymbolText(name) ? new Sym(name) : name
        method = (...args) => callable.call(List.of(first, ...args))
        methods.set(name, method)
      }
      return method
    },
  })
}
