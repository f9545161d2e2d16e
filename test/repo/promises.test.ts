import { globSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { read, root } from './sources.ts'

const promises = [...read('docs/promises.md').matchAll(/^- \*\*(P\d+)\*\* /gm)].map(([, id = '']) => id)

describe('P41 promises and tests agree', () => {
  test('P41 the promises are numbered from 1 without a gap', () => {
    expect(promises).toEqual(promises.map((_, index) => `P${index + 1}`))
  })

  test('P41 every promise is cited in the title of a test', () => {
    expect(promises.filter(id => !cited.has(id))).toEqual([])
  })

  test('P41 every promise a title cites exists', () => {
    expect(
      [...cited].filter(([id]) => !promises.includes(id)).map(([id, file]) => `${id} in ${file}`),
    ).toEqual([])
  })
})

/** Every id in the title of a test or a group of tests, with a file that cites it. */
const cited = new Map<string, string>()
for (const file of globSync('test/**/*.test.ts', { cwd: root })) {
  for (const title of titles(read(file))) for (const [id] of title.matchAll(/\bP\d+\b/g)) cited.set(id, file)
}

/** The first argument of every call of `test`, `it` and `describe`, and of their `.each(…)` and the like. */
function titles(code: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(test|it|describe)\b/.test(node.expression.getText())) {
      const [title] = node.arguments
      if (title && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title)))
        found.push(title.getText())
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('test.ts', code, ts.ScriptTarget.Latest, true))
  return found
}
