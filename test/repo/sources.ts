import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

/** Files of `runtime/`, named from there. */
export const sourceFiles = globSync('**/*.ts', { cwd: path.join(root, 'runtime') }).toSorted((a, b) =>
  a < b ? -1 : 1,
)

/** What a file of `runtime/` imports, type imports and `import()` included. */
export function importsOf(file: string): { files: string[]; packages: string[] } {
  const found = ts.preProcessFile(read(`runtime/${file}`), true, true).importedFiles.map(one => one.fileName)
  // By its own name the package is its first file.
  const own = found.includes('wat-vm') ? ['index.ts'] : []
  return {
    files: found
      .filter(name => name.startsWith('.'))
      .map(name => path.posix.join(path.posix.dirname(file), name))
      .concat(own),
    packages: found.filter(name => !/^(\.|node:|wat-vm$)/.test(name)),
  }
}

/** The delays, as they are written, of what a file of `runtime/` gives to Node's timers. */
export function delaysOf(file: string): string[] {
  const source = ts.createSourceFile(file, read(`runtime/${file}`), ts.ScriptTarget.Latest)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^set(Timeout|Interval)$/.test(node.expression.getText(source)))
      found.push(node.arguments[1]?.getText(source) ?? '')
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The room a file belongs to, as docs/architecture.md names it. */
export function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? file) : path.parse(file).name
}

/** The fenced blocks of a document. */
export function blocks(document: string, language: string): string[] {
  return [...read(document).matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body ?? '')
}

/** The rows of every table of a text, header and ruler left out, as trimmed cells. */
export function tableRows(text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split(/(?<!\\)\|/).map(cell => cell.trim()))
    .filter(cells => !cells.every(cell => /^:?-+:?$/.test(cell)))
}

/** A section of a document, from its heading to the next one of its level or above. */
export function section(document: string, heading: string): string {
  const text = read(document)
  const start = text.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`${document} has no section ${heading}`)
  const rest = text.slice(start + heading.length + 2)
  const level = heading.indexOf(' ')
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end === -1 ? rest : rest.slice(0, end)
}

/** In the order of their text, to be compared as sets. */
export function sorted(texts: Iterable<string | undefined>): string[] {
  return [...texts].map(String).toSorted((a, b) => (a < b ? -1 : 1))
}
