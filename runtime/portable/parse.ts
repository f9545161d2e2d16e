import { getLineInfo, parse, type Node, type Program } from 'acorn'

export { getLineInfo }
export type { Node, Program }

/** The syntax tree of a module. Throws a SyntaxError, and a RangeError where the nesting is too deep. */
export function parseModule(source: string): Program {
  return parse(source, { ecmaVersion: 'latest', sourceType: 'module', ranges: true }) // eslint-scope asks for ranges
}

/** How far the parser came before it gave up, and what it says of it. */
export function syntaxFault(error: unknown): { message: string; offset: number } {
  const { message, pos = 0 } = error as Error & { pos?: number }
  return { message: message.replace(/ \(\d+:\d+\)$/, ''), offset: pos }
}

/** `line:column` of an offset, both counted from 1. */
export function placeOf(source: string, offset: number): string {
  const { line, column } = getLineInfo(source, Math.max(0, offset))
  return `${line}:${column + 1}`
}

/** Every node of a tree, in no particular order. Without recursion: a chain of operators may be long. */
export function* nodesOf(root: Node): Generator<Syntax> {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (Array.isArray(value)) {
      open.push(...(value as unknown[]))
    } else if (isNode(value)) {
      yield value
      open.push(...Object.values(value))
    }
  }
}

/** A node of any type, with those fields of the types we ask for. */
export interface Syntax extends Node {
  source?: Syntax | null
  callee?: Syntax
  arguments?: Syntax[]
  object?: Syntax
  property?: Syntax
  meta?: Syntax
  argument?: Syntax | null
  left?: Syntax
  name?: string
  operator?: string
  value?: unknown
  quasis?: (Syntax & { value: { cooked?: string | null } })[]
}

/** The text that an expression plainly is; `undefined` when it has to be computed. */
export function literalOf(node: Syntax | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type !== 'TemplateLiteral' || node.quasis?.length !== 1) return undefined
  return node.quasis[0]?.value.cooked ?? undefined
}

export function isImportMeta(node: Syntax | undefined): boolean {
  return node?.type === 'MetaProperty' && node.meta?.name === 'import'
}

/** Whether it is `import.meta.name`. */
export function isMetaField(node: Syntax | undefined, name: string): boolean {
  return node?.type === 'MemberExpression' && isImportMeta(node.object) && node.property?.name === name
}

function isNode(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as Syntax).type === 'string'
}
