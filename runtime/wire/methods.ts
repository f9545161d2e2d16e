import { List, Sym } from '../edn/index.ts'
import { WatError } from '../error.ts'
import type { Handler, Request } from './handler.ts'

/** Functions that get the request before their arguments. */
const withRequests = new WeakMap<object, (request: Request, ...args: any[]) => unknown>()

/**
 * A method that needs its request: for its `signal`, `meta`, `deadline`, or to `reply` early. Callers see it without
 * that first argument.
 *
 * ```ts
 * ref({ slow: withRequest(async (request, ms: number) => wait(ms, request.signal)) })
 * ```
 */
export function withRequest<A extends unknown[], R>(
  method: (request: Request, ...args: A) => R,
): (...args: A) => R {
  const marked = (): never => {
    throw new WatError('denied', 'a method made with withRequest needs a request: call it by a reference')
  }
  withRequests.set(marked, method)
  return marked
}

/**
 * Answers EDN lists with what the object's methods of these names give: `(add 1 2)` with `add(1, 2)`. They are its
 * own and its classes'; no accessor, no constructor, and nothing that every object has.
 */
export function methodsOf(object: object): Handler {
  return (body, request) => {
    const [name, args] = asked(body, object)
    const method = found(object, name)
    if (!method) throw noMethod(`has no method ${name}`, object)
    const withIt = withRequests.get(method)
    return withIt ? withIt.call(object, request, ...args) : method.call(object, ...args)
  }
}

type Method = (...args: unknown[]) => unknown

function asked(body: unknown, object: object): [name: string, args: unknown[]] {
  if (body instanceof List) {
    const [first, ...args] = body as unknown[]
    const name = first instanceof Sym ? first.name : first
    if (typeof name === 'string') return [name, args]
  }
  throw noMethod('takes a list that begins with the name of a method, such as (name 1 2)', object)
}

function found(object: object, name: string): Method | undefined {
  if (name === 'constructor') return undefined
  for (const owner of owners(object)) {
    const property = Object.getOwnPropertyDescriptor(owner, name)
    if (property) return typeof property.value === 'function' ? (property.value as Method) : undefined
  }
  return undefined
}

/** The object and its classes, but not what every object has. */
function* owners(object: object): Generator<object> {
  for (let owner: object | null = object; owner; owner = Object.getPrototypeOf(owner) as object | null) {
    const base = Object.getPrototypeOf(owner) as object | null
    if (base === null && Object.hasOwn(owner, 'hasOwnProperty')) return // Object.prototype, of whatever realm
    yield owner
  }
}

function noMethod(what: string, object: object): WatError {
  const names = [...owners(object)].flatMap(owner => Object.getOwnPropertyNames(owner))
  const methods = [...new Set(names)].filter(name => found(object, name)).sort()
  const list = methods.length > 0 ? methods.join(', ') : 'none'
  return new WatError('no-handler', `this object ${what}; its methods: ${list}`, { data: { methods } })
}
