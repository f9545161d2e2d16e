import { pathToFileURL } from 'node:url'
import { WatError } from '../error.ts'
import { isGlobal } from './globals.ts'
import { expressionOf, type Expression } from './expression.ts'
import { placeHere } from './here.ts'
import type { Package } from './package-files.ts'
import {
  getLineInfo,
  isImportMeta,
  literalOf,
  nodesOf,
  parseModule,
  placeOf,
  syntaxFault,
  type Program,
} from './parse.ts'
import { freeNames, type FreeName } from './scope.ts'
import { whereWritten, type ReadFile, type Written } from './written.ts'

/** What stands before the function in its module. */
const HEAD = 'export default ('

/**
 * The module that a function is somewhere else: its source as the default export, as if it were a file in
 * the working directory, so it is strict, and finds packages from there. Throws `denied` for a function that
 * would not be the same: one without source, a class, a generator, and one that uses what is around it here.
 *
 * With the stack of the spawn, the module's stacks name the file and the lines where the function is written.
 */
export function functionPackage(fn: Function, spawned?: Spawned): Package {
  const source = Function.prototype.toString.call(fn)
  const expression = expressionOf(source)
  const text = `${HEAD}${expression.text})\n`
  const place = (offset: number) => placeOf(source, offset - HEAD.length + expression.shift)
  const { program, free } = understood(text, place)
  refuseRelative(program, place)
  refuseFree(free, place)
  const main = pathToFileURL(placeHere(`[${nameOf(fn)}].mjs`)).href
  const written = spawned && whereWritten(source, spawned.stack, spawned.read)
  return { main, files: { [main]: written ? inPlace(expression, source, written) : text } }
}

/** Where a function was spawned, and what the files there hold. */
interface Spawned {
  stack: string
  read: ReadFile
}

/** The module with everything in the line and column in which it is written, and under the file's name. */
function inPlace({ head, text, shift }: Expression, source: string, { url, line, column }: Written): string {
  const { line: lines, column: columns } = getLineInfo(source, shift + head.length)
  const [atLine, atColumn] = [line + lines - 1, columns + (lines === 1 ? column : 0)]
  const before = `${HEAD}${head}`
  const body = `${text.slice(head.length)})\n${sourceUrl(url)}`
  if (atColumn >= before.length)
    return `${'\n'.repeat(atLine - 1)}${' '.repeat(atColumn - before.length)}${before}${body}`
  if (atLine === 1) return `${before}${body}` // the first columns are off: there is no line above
  return `${'\n'.repeat(atLine - 2)}${before}\n${' '.repeat(atColumn)}${body}`
}

/** The last line of a module that bears the name of a file. */
export function sourceUrl(url: string): string {
  return `//# sourceURL=${url}\n`
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
  throw refusal(`it uses ${list}, which it was not given; pass it as given, or import inside it`, {
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
