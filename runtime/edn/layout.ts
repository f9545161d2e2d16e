import { type Context, leafText, refuse, type Shape, shapeOf } from './shape.ts'
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
}

/** The value as text, with a stack of its own: values nest deeper than calls can. `pretty`: on several lines. */
export function layout(root: unknown, context: Context, pretty: boolean): string {
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
    const short = pretty ? flat(value, WIDTH - column, context) : leafText(value, context)
    if (short !== undefined) return put(short)
    const leaf = leafText(value, context)
    if (leaf !== undefined) return put(leaf)
    const composite = value as object
    if (active.has(composite)) refuse(context, 'a cycle')
    active.add(composite)
    const shape = shapeOf(composite, context)
    put(shape.open)
    stack.push({ value: composite, shape, next: 0, indent: Math.min(column, MAX_INDENT) })
  }

  begin(root)
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
    begin(shape.items[next])
  }
  context.path.length = base
  return chunks.length === 0 ? text : chunks.join('') + text
}

const CHUNK_UNITS = 65_536

/** The value on one line if it fits into `room`. Every level takes room, so calls cannot go deep. */
function flat(value: unknown, room: number, context: Context): string | undefined {
  if (room < 1) return undefined
  const leaf = leafText(value, context)
  if (leaf !== undefined) return leaf.length <= room ? leaf : undefined
  const { open, items, labels, close, steps } = shapeOf(value as object, context)
  let text = open
  for (let i = 0; i < items.length; i++) {
    text += (i === 0 ? '' : ' ') + (labels?.[i] ?? '')
    context.path.push(steps(i))
    const item = flat(items[i], room - text.length - close.length, context)
    context.path.pop()
    if (item === undefined) return undefined
    text += item
  }
  text += close
  return text.length <= room ? text : undefined
}
