import { isImportMeta, isMetaField, literalOf, nodesOf, type Program, type Syntax } from './parse.ts'

export interface Reference {
  /** `import`: the module does not run without it. `file`: names a file. `require`: what CommonJS imports. */
  kind: 'import' | 'file' | 'require'
  specifier: string
  offset: number
}

/** What a module plainly names of other files, in the order of the text. What is computed is not seen. */
export function referencesOf(program: Program): Reference[] {
  const found: Reference[] = []
  for (const node of nodesOf(program)) {
    const reference = referenceOf(node)
    if (reference) found.push({ ...reference, offset: node.start })
  }
  return found.sort((a, b) => a.offset - b.offset)
}

/** Whether it can only be CommonJS: it uses what a module has not, and nothing that makes it a module. */
export function isCommonJs(program: Program): boolean {
  let commonJs = false
  for (const node of nodesOf(program)) {
    if (/^(?:Import|Export)\w*Declaration$/.test(node.type) || isImportMeta(node)) return false
    commonJs ||= requires(node) || exportsCommonJs(node)
  }
  return commonJs
}

function referenceOf(node: Syntax): Omit<Reference, 'offset'> | undefined {
  if (/^(?:Import|Export)/.test(node.type) && node.source) return named('import', node.source)
  if (requires(node)) return named('require', node.arguments?.[0])
  const [first, second] = node.arguments ?? []
  const url = node.type === 'NewExpression' && node.callee?.name === 'URL' && isMetaField(second, 'url')
  const resolved = node.type === 'CallExpression' && isMetaField(node.callee, 'resolve')
  const reference = url || resolved ? named('file', first) : undefined
  // Only what is relative is the program's own: it may well name a file of the machine, or another site.
  return reference && (url ? RELATIVE_URL : RELATIVE_IMPORT).test(reference.specifier) ? reference : undefined
}

const RELATIVE_URL = /^(?![/\\]|[a-z][a-z\d+.-]*:)/i
const RELATIVE_IMPORT = /^\.{1,2}\//

function named(kind: Reference['kind'], node: Syntax | undefined): Omit<Reference, 'offset'> | undefined {
  const specifier = literalOf(node)
  return specifier === undefined ? undefined : { kind, specifier }
}

function requires(node: Syntax): boolean {
  return node.type === 'CallExpression' && node.callee?.name === 'require'
}

function exportsCommonJs({ type, left }: Syntax): boolean {
  if (type !== 'AssignmentExpression' || left?.type !== 'MemberExpression') return false
  const { object, property } = left
  if (object?.name === 'exports') return true
  const inner = object?.type === 'MemberExpression' ? object : undefined
  return isModuleExports(object, property) || isModuleExports(inner?.object, inner?.property)
}

function isModuleExports(object: Syntax | undefined, property: Syntax | undefined): boolean {
  return object?.name === 'module' && property?.name === 'exports'
}
