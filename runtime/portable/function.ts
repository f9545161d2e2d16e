import { pathToFileURL } from 'node:url'
import { WatError } from '../error.ts'
import { isGlobal } from './globals.ts'
import { expressionOf } from './expression.ts'
import { placeHere } from './here.ts'
import type { Package } from './package-files.ts'
import { isImportMeta, literalOf, nodesOf, parseModule, placeOf, syntaxFault, type Program } from './parse.ts'
import { freeNames, type FreeName } from './scope.ts'

/** What stands before the function in its module. */
const HEAD = 'export default ('

/**
 * The module that a function is somewhere else: its source as the default export, as if it were a file in
 * the working directory, so it is strict, and finds packages from there. Throws `denied` for a function that
 * would not be the same: one without source, a class, a generator, and one that uses what is around it here.
 */
export function functionProgram(fn: Function): Package {
  const source = Function.prototype.toString.call(fn)
  const expression = expressionOf(source)
  const text = `${HEAD}${expression.text})\n`
  const place = (offset: number) => placeOf(source, offset - HEAD.length + expression.shift)
  const { program, free } = understood(text, place)
  refuseRelative(program, place)
  refuseFree(free, place)
  const main = pathToFileURL(placeHere(`[${nameOf(fn)}].mjs`)).href
  return { main, files: { [main]: text } }
}

/** `line:column` in what the user wrote, of an offset in the module made of it. */
type Place = (offset: number) => string

function understood(text: string, place: Place): { program: Program; free: FreeName[] } {
  try {
    const program = parseModule(text)
    return { program, free: freeNames(program).filter(({ name }) => !isGlobal(name)) }
  } catch (error) {
    const { message, offset } = syntaxFault(error)
    throw refusal(`${message} (${place(offset)})`, { cause: error })
  }
}

/** What a module means by its own place is another place in the child. */
function refuseRelative(program: Program, place: Place): void {
  for (const node of nodesOf(program)) {
    if (isImportMeta(node)) {
      throw refusal(`it uses \`import.meta\` (${place(node.start)}), which is another one there`)
    }
    const specifier = node.type === 'ImportExpression' ? literalOf(node.source) : undefined
    if (specifier !== undefined && /^(?:\.{1,2}(?:\/|$)|#)/.test(specifier)) {
      const what = `\`${specifier}\` (${place(node.start)})`
      throw refusal(`it imports ${what}, which is not found from there; pass the file's URL as a capture`)
    }
  }
}

function refuseFree(free: FreeName[], place: Place): void {
  if (free.length === 0) return
  const names = free.map(({ name, offset }) => ({ name, place: place(offset) }))
  const list = names.map(each => `\`${each.name}\` (${each.place})`).join(', ')
  throw refusal(`it uses ${list}, which it was not given; pass values as captures, or import inside it`, {
    data: { names },
  })
}

function refusal(reason: string, options: { cause?: unknown; data?: unknown } = {}): WatError {
  return new WatError('denied', `the function is not self-contained: ${reason}`, options)
}

/** For stack traces: the name, if it can stand in the name of a file. */
function nameOf(fn: Function): string {
  const name: unknown = fn.name
  return typeof name === 'string' && /^[\w$]{1,60}$/.test(name) ? name : 'function'
}
