import { readFileSync } from 'node:fs'
import {
  Char,
  Decimal,
  EdnMap,
  EdnSet,
  equals,
  Keyword,
  kw,
  List,
  Ratio,
  Sym,
  Tagged,
  Uuid,
} from '../../runtime/edn/index.ts'

export interface Case {
  id: string
  mode: string
  input?: string
  gen?: { repeat?: [string, string]; string?: number; keywords?: number; n?: number; middle?: string }
  valid: boolean | 'disputed'
  incomplete?: boolean
  value?: unknown
}

export interface Emit {
  id: string
  value?: unknown
  kwText?: string
  tagText?: string
  js?: 'function' | 'cycle'
  mustThrow?: boolean
}

const file = JSON.parse(readFileSync(new URL('./cases.json', import.meta.url), 'utf8')) as {
  cases: Case[]
  emit: Emit[]
}
export const cases = file.cases
export const emits = file.emit

export function inputOf({ input, gen }: Case): string {
  if (input !== undefined) return input
  if (gen!.string !== undefined) return `"${'a'.repeat(gen!.string)}"`
  if (gen!.keywords !== undefined)
    return `[${Array.from({ length: gen!.keywords }, (_, i) => `:k${i}`).join(' ')}]`
  const [open, close] = gen!.repeat!
  return open.repeat(gen!.n!) + (gen!.middle ?? '') + close.repeat(gen!.n!)
}

/** Is the value, kind and all, what the case's encoding says? */
export function matches(value: unknown, expected: unknown, mode: string): boolean {
  if (mode === 'all') {
    const { forms } = expected as { forms: unknown[] }
    return (
      Array.isArray(value) &&
      value.length === forms.length &&
      forms.every((f, i) => matches(value[i], f, 'one'))
    )
  }
  if (typeof expected !== 'object' || expected === null) return Object.is(value, expected)
  const [kind, content] = Object.entries(expected as Record<string, any>)[0]!
  switch (kind) {
    case 'int': {
      const int = BigInt(content)
      return Number.isSafeInteger(Number(content)) ? Object.is(value, Number(int)) : value === int
    }
    case 'bigint':
      return value === BigInt(content)
    case 'float':
      return Object.is(value, Number(content.replace('Inf', 'Infinity')))
    case 'dec':
      return value instanceof Decimal && value.text === content
    case 'ratio':
      return value instanceof Ratio && value.toString() === content
    case 'char':
      return value instanceof Char && value.value === content
    case 'kw':
      return value instanceof Keyword && value === kw(content)
    case 'sym':
      return value instanceof Sym && value.name === content
    case 'list':
      return value instanceof List && all(value, content)
    case 'vec':
      return Array.isArray(value) && !(value instanceof List) && all(value, content)
    case 'set':
      return value instanceof EdnSet && equals(value, plainValue(expected))
    case 'map':
      return equals(value, plainValue(expected)) && value instanceof EdnMap !== keywordsOnly(content)
    case 'inst':
      return value instanceof Date && value.toISOString() === content
    case 'uuid':
      return value instanceof Uuid && value.toString() === content
    case 'tag':
      return (
        value instanceof Tagged && value.tag === content && matches(value.value, (expected as any).val, 'one')
      )
    case 'nested':
      return depthOf(value) === (expected as any).depth
    case 'stringLength':
      return typeof value === 'string' && value.length === content
    case 'vecLength':
      return Array.isArray(value) && value.length === content
    default:
      throw new Error(`unknown encoding ${kind}`)
  }
}

/** The value that the case's encoding stands for. */
export function plainValue(expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null) return expected
  const [kind, content] = Object.entries(expected as Record<string, any>)[0]!
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(Number(content)) ? Number(content) : BigInt(content)
    case 'bigint':
      return BigInt(content)
    case 'float':
      return Number(content.replace('Inf', 'Infinity'))
    case 'dec':
      return new Decimal(content)
    case 'ratio':
      return new Ratio(BigInt(content.split('/')[0]), BigInt(content.split('/')[1]))
    case 'char':
      return new Char(content)
    case 'kw':
      return kw(content)
    case 'sym':
      return new Sym(content)
    case 'list':
      return List.from(content.map(plainValue))
    case 'vec':
      return content.map(plainValue)
    case 'set':
      return new EdnSet(content.map(plainValue))
    case 'map':
      return keywordsOnly(content)
        ? Object.fromEntries(content.map(([k, v]: any) => [k.kw, plainValue(v)]))
        : new EdnMap(content.map((entry: any) => entry.map(plainValue)))
    case 'inst':
      return new Date(content)
    case 'uuid':
      return new Uuid(content)
    case 'tag':
      return new Tagged(content, plainValue((expected as any).val))
    default:
      throw new Error(`unknown encoding ${kind}`)
  }
}

/** What a case that must not be written hands to `stringify`. */
export function buildJs({ kwText, tagText, js }: Emit): unknown {
  if (kwText !== undefined) return kw(kwText)
  if (tagText !== undefined) return new Tagged(tagText, 1)
  if (js === 'function') return () => {}
  const cycle: unknown[] = []
  cycle.push([cycle])
  return cycle
}

const all = (values: unknown[], expected: unknown[]): boolean =>
  values.length === expected.length && expected.every((item, i) => matches(values[i], item, 'one'))

const keywordsOnly = (entries: [unknown, unknown][]): boolean =>
  entries.every(([key]) => typeof key === 'object' && key !== null && 'kw' in key)

function depthOf(value: unknown): number {
  let depth = 0
  for (let at = value; ; depth++) {
    if (at instanceof Tagged) at = at.value
    else if (Array.isArray(at) && at.length > 0) at = at[0]
    else return Array.isArray(at) ? depth + 1 : depth
  }
}
