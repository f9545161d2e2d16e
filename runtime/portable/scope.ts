import { analyze } from 'eslint-scope'
import { nodesOf, type Node, type Program } from './parse.ts'

export interface FreeName {
  name: string
  offset: number
}

/**
 * The names that a module uses and does not declare, each where it does so first, in the order of the text.
 * `typeof name` is no use: it asks whether there is one.
 */
export function freeNames(program: Program): FreeName[] {
  const asked = new Set<Node>()
  for (const node of nodesOf(program)) {
    if (node.type === 'UnaryExpression' && node.operator === 'typeof' && node.argument)
      asked.add(node.argument)
  }
  const first = new Map<string, number>()
  for (const { name, node } of undeclared(program)) {
    if (!asked.has(node)) first.set(name, Math.min(node.start, first.get(name) ?? Infinity))
  }
  return [...first].map(([name, offset]) => ({ name, offset })).sort((a, b) => a.offset - b.offset)
}

function undeclared(program: Program): { name: string; node: Node }[] {
  const scopes = analyze(program as Parameters<typeof analyze>[0], {
    ecmaVersion: 2022, // the newest that makes a difference to it
    sourceType: 'module',
    ignoreEval: true, // in a module an `eval` declares nothing around itself
    // Without it, what stands in the options of an `import()` would not be seen.
    childVisitorKeys: { ImportExpression: ['source', 'options'] },
  })
  return (scopes.globalScope?.through ?? []).map(({ identifier }) => ({
    name: identifier.name,
    node: identifier as unknown as Node,
  }))
}
