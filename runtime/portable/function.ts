import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { WatError } from '../error.ts'
import { isGlobal } from './globals.ts'
import { expressionOf, type Expression } from './expression.ts'
import type { Package } from './package-files.ts'
import { isImportMeta, literalOf, nodesOf, parseModule, placeOf, syntaxFault, type Program } from './parse.ts'
import { freeNames } from './scope.ts'

/** What stands before the function in its module. */
const HEAD = 'export default ('

/**
 * The module that a function is somewhere else: its source as the default export, as if it were a file in
 * the working directory. Throws `denied` for a function that would not be the same there: one without
 * source, a class, a generator, and one that uses what is around it here, naming what and where.
 */
export function functionProgram(fn: Function): Package {
  const source = Function.prototype.toString.call(fn)
  const expression = expressionOf(source)
  const text = `${HEAD}${expression.text})\n`
  const whole = { source, expression, program: parsed(text, source, expression) }
  refuseRelative(whole)
  refuseFreeNames(whole)
  const main = pathToFileURL(path.resolve(`[${nameOf(fn)}].mjs`)).href
  return { main, files: { [main]: text } }
}

interface Whole {
  /** As the user wrote it: places are told of this. */
  source: string
  expression: Expression
  program: Program
}

function parsed(text: string, source: string, expression: Expression): Program {
  try {
    return parseModule(text)
  } catch (error) {
    const { message, offset } = syntaxFault(error)
    throw refusal(`${message} (${placeIn(source, expression, offset)})`, { cause: error })
  }
}

/** What a module means by its own place is another place in the child. */
function refuseRelative({ source, expression, program }: Whole): void {
  for (const node of nodesOf(program)) {
    const where = placeIn(source, expression, node.start)
    if (isImportMeta(node)) throw refusal(`it uses \`import.meta\` (${where}), which is another one there`)
    const specifier = node.type === 'ImportExpression' ? literalOf(node.source) : undefined
    if (specifier === undefined || !/^(?:\.{1,2}(?:\/|$)|#)/.test(specifier)) continue
    throw refusal(
      `it imports \`${specifier}\` (${where}), which is not found from there; pass the file's URL as a capture`,
    )
  }
}

function refuseFreeNames({ source, expression, program }: Whole): void {
  const free = freeNames(program).filter(({ name }) => !isGlobal(name))
  if (free.length === 0) return
  const names = free.map(({ name, offset }) => ({ name, place: placeIn(source, expression, offset) }))
  const list = names.map(({ name, place }) => `\`${name}\` (${place})`).join(', ')
  throw refusal(`it uses ${list}, which it was not given; pass values as captures, or import inside it`, {
    data: { names },
  })
}

function refusal(reason: string, options: { cause?: unknown; data?: unknown } = {}): WatError {
  return new WatError('denied', `the function is not self-contained: ${reason}`, options)
}

function placeIn(source: string, expression: Expression, offset: number): string {
  return placeOf(source, offset - HEAD.length + expression.shift)
}

/** For stack traces: the name, if it can stand in the name of a file. */
function nameOf(fn: Function): string {
  const name: unknown = fn.name
  return typeof name === 'string' && /^[\w$]{1,60}$/.test(name) ? name : 'function'
}
