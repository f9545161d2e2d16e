import { WatError } from '../error.ts'
import { parseModule, placeOf, syntaxFault, type Node } from './parse.ts'

export interface Expression {
  text: string
  /** What of the text is not in the function's own source. */
  head: string
  /** What to add to an offset in `text` for the offset in the function's own source. */
  shift: number
}

/** A function's source as an expression that evaluates to it. Throws `denied` when it cannot be one. */
export function expressionOf(source: string): Expression {
  if (/\{\s*\[native code\]\s*\}$/.test(source)) {
    throw denied(
      'a bound function, or one that is not written in JavaScript, has no source that could be sent',
    )
  }
  const found = functionIn(source)
  if (found.node.type === 'ClassExpression') throw denied('a class cannot be a program; give a function')
  if (found.node.generator) throw denied('a generator cannot be a program; give a function')
  if (!found.shorthand) return { text: source, head: '', shift: 0 }
  // Without its key, which may be computed or private, and without its home object.
  const head = found.node.async ? 'async function ' : 'function '
  return { text: head + source.slice(found.start), head, shift: found.start - head.length }
}

interface FunctionNode extends Node {
  async?: boolean
  generator?: boolean
}

interface Found {
  node: FunctionNode
  /** Where the node starts in the source. */
  start: number
  /** Written as a method: a key, parameters, a body. */
  shorthand: boolean
}

interface Wrapping {
  before: string
  after: string
  /** The function in the expression that the wrapping makes. */
  pick: (outer: any) => FunctionNode | undefined
}

/** What `toString` gives is a whole expression, or an element of an object or of a class. */
const WRAPPINGS: Wrapping[] = [
  { before: '(', after: '\n)', pick: outer => outer },
  { before: '({', after: '\n})', pick: outer => outer.properties[0]?.value },
  { before: '(class {', after: '\n})', pick: outer => outer.body.body[0]?.value },
]

function functionIn(source: string): Found {
  let furthest = { message: 'not a function', offset: -1, cause: undefined as unknown }
  for (const [index, { before, after, pick }] of WRAPPINGS.entries()) {
    try {
      const [statement] = parseModule(before + source + after).body
      const node = statement?.type === 'ExpressionStatement' ? pick(statement.expression) : undefined
      if (!node || !/^(?:Arrow)?FunctionExpression$|^ClassExpression$/.test(node.type)) continue
      return { node, start: node.start - before.length, shorthand: index > 0 }
    } catch (error) {
      const { message, offset } = syntaxFault(error)
      // Where it came furthest, the parser took the source for what it is.
      if (offset - before.length > furthest.offset) {
        furthest = { message, offset: offset - before.length, cause: error }
      }
    }
  }
  const where = placeOf(source, furthest.offset)
  throw denied(`the function cannot be part of a module: ${furthest.message} (${where})`, furthest.cause)
}

function denied(message: string, cause?: unknown): WatError {
  return new WatError('denied', message, cause === undefined ? {} : { cause })
}
