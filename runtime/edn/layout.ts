import { WatError } from '../error.ts'
import { describe } from './describe.ts'
import { isFault } from './fault.ts'
import { leafText } from './leaf.ts'
import { type Context, refuse } from './refuse.ts'
import { type Shape, shapeOf } from './shape.ts'
import { stringText } from './text.ts'
import { checkText } from './too-large.ts'

const WIDTH = 80
// Deep values would else be mostly indentation: the square of their depth.
const MAX_INDENT = 40

interface Open {
  value: object
  shape: Shape
  next: number
  /** The column at which its items line up. */
  indent: number
  /** How deep a reader is inside of it. */
  depth: number
  /** What was written before the item that is being written, where that can be taken back. */
  mark: Mark | undefined
}

interface Mark {
  chunks: number
  text: string
  column: number
}

/**
 * The value as text, with a stack of its own: values nest deeper than calls can. `pretty`: on several lines.
 * `outside`: how deep it stands itself.
 */
export function layout(root: unknown, context: Context, pretty: boolean, outside = 0): string {
  const base = context.path.length
  const chunks: string[] = []
  const stack: Open[] = []
  const active = new Set<object>()
  let text = ''
  let column = 0
  let length = 0
  const put = (piece: string) => {
    length += piece.length
    checkText(length)
    text += piece
    column += piece.length
    if (text.length > CHUNK_UNITS) {
      chunks.push(text)
      text = ''
    }
  }
  const begin = (value: unknown) => {
    const short = pretty ? flat(value, WIDTH - column, context) : undefined
    const leaf = short ?? leafText(value, context)
    if (leaf !== undefined) return put(leaf)
    const composite = value as object
    if (active.has(composite)) refuse(context, 'a cycle')
    const shape = shapeOf(composite, context)
    const depth = (stack.at(-1)?.depth ?? outside) + shape.levels
    if (depth > context.maxDepth) refuse(context, 'what is nested too deep')
    active.add(composite)
    put(shape.open)
    const indent = Math.min(column, MAX_INDENT)
    stack.push({ value: composite, shape, next: 0, indent, depth, mark: undefined })
  }
  const attempt = (item: unknown) => {
    try {
      begin(item)
    } catch (error) {
      const problem = isRefusal(error) ? error : unreadable(context, error)
      // Of what stands deep inside, what leads there begins above: only the whole can tell a cycle at once.
      const to = outside > 0 ? -1 : stack.findLastIndex(({ mark }) => mark !== undefined)
      if (to === -1) throw problem
      for (const inner of stack.splice(to + 1)) active.delete(inner.value)
      const { shape, next, mark } = stack[to]!
      chunks.length = mark!.chunks
      ;({ text, column } = mark!)
      put(stringText(describe(shape.items[next - 1])))
    }
  }

  attempt(root)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    const { shape, next, indent } = top
    context.path.length = base + stack.length - 1
    if (next === shape.items.length) {
      put(shape.close)
      active.delete(top.value)
      stack.pop()
      continue
    }
    if (next > 0) {
      if (pretty && !(shape.pairs === true && next % 2 === 1)) {
        put('\n' + ' '.repeat(indent))
        column = indent
      } else put(' ')
    }
    top.next++
    context.path.push(shape.steps(next))
    if (shape.labels !== undefined) put(shape.labels[next]!)
    top.mark = isDetail(top.value, shape.labels?.[next]) ? { chunks: chunks.length, text, column } : undefined
    attempt(shape.items[next])
  }
  context.path.length = base
  return chunks.length === 0 ? text : chunks.join('') + text
}

/** What an error tells besides is told in words where EDN cannot carry it: an error must get through. */
function isDetail(value: object, label: string | undefined): boolean {
  return label !== undefined && DETAILS.has(label) && isFault(value)
}

const DETAILS = new Set([':data ', ':exit ', ':panic '])

/** What the writer itself throws, as opposed to what a value does when it is looked at. */
const isRefusal = (error: unknown): boolean => error instanceof WatError && REFUSALS.has(error.code)

const REFUSALS = new Set(['encode', 'denied', 'too-large'])

/** A getter of the value throws, or its proxy does. */
function unreadable(context: Context, cause: unknown): unknown {
  try {
    return refuse(context, 'what cannot be looked at', { cause })
  } catch (refusal) {
    return refusal
  }
}

const CHUNK_UNITS = 65_536

/** The value on one line if it fits into `room`. Every level takes room, so calls cannot go deep. */
function flat(value: unknown, room: number, context: Context): string | undefined {
  const steps = context.path.length
  try {
    return fitting(value, room, context)
  } catch {
    context.path.length = steps
    return undefined // going the long way tells what it is
  }
}

function fitting(value: unknown, room: number, context: Context): string | undefined {
  if (room < 1) return undefined
  const leaf = leafText(value, context)
  if (leaf !== undefined) return leaf.length <= room ? leaf : undefined
  const { open, items, labels, close, steps } = shapeOf(value as object, context)
  let text = open
  for (let i = 0; i < items.length; i++) {
    text += (i === 0 ? '' : ' ') + (labels?.[i] ?? '')
    context.path.push(steps(i))
    const item = fitting(items[i], room - text.length - close.length, context)
    context.path.pop()
    if (item === undefined) return undefined
    text += item
  }
  text += close
  return text.length <= room ? text : undefined
}
