import { getLineInfo } from './parse.ts'

/** Where a text starts in the file that it was written in; the line counts from 1, the column from 0. */
export interface Written {
  url: string
  line: number
  column: number
}

/** The text of a file by its URL; `undefined` when it cannot be read. */
export type ReadFile = (url: string) => string | undefined

/** A function that is spawned is written where that is done, or in what is imported there: no more files are read. */
const MAX_FILES = 64

/** The same text may stand in a file more than once; of so many the one nearest to the spawn is taken. */
const MAX_PLACES = 64

/**
 * Where the source of a function is written: in the files of the stack in which it was spawned, or in what they
 * import by a relative path. JavaScript itself does not tell. `undefined` when it stands in none of them, as
 * what `new Function` made.
 */
export function whereWritten(source: string, stack: string, read: ReadFile): Written | undefined {
  const files = new Map<string, number>()
  for (const [, url, line] of stack.matchAll(FRAME)) if (!files.has(url!)) files.set(url!, Number(line))
  for (const [url, line] of files) {
    const text = read(url)
    if (text === undefined) continue
    const found = nearest(placesOf(source, text), text, line)
    if (found) return { url, ...found }
    for (const imported of importsOf(text, url)) {
      if (files.size < MAX_FILES && !files.has(imported)) files.set(imported, 1)
    }
  }
  return undefined
}

const FRAME = /(file:\/\/[^\s()]+):(\d+):\d+\)?$/gm

/** Relative paths of imports, also in a comment or a string: what is read in vain does no harm. */
function importsOf(text: string, url: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, specifier]) =>
    URL.canParse(specifier!, url) ? [new URL(specifier!, url).href] : [],
  )
}

const IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g

/** The offsets at which a text stands in a file, whose types may have been blanked since. */
function placesOf(source: string, text: string): number[] {
  const first = source.charAt(0)
  const places: number[] = []
  for (let at = text.indexOf(first); at !== -1; at = text.indexOf(first, at + 1)) {
    if (text.length - at < source.length || places.length === MAX_PLACES) break
    if (standsAt(source, text, at)) places.push(at)
  }
  return places
}

function standsAt(source: string, text: string, at: number): boolean {
  for (let i = 0; i < source.length; i++) {
    if (source[i] !== text[at + i] && !BLANK.test(source[i]!)) return false
  }
  return true
}

/** What Node puts in the place of types: blanks, and where a line must not go on, a semicolon. */
const BLANK = /[\s;]/

function nearest(offsets: number[], text: string, line: number): Omit<Written, 'url'> | undefined {
  const places = offsets.map(offset => getLineInfo(text, offset))
  return places.sort((a, b) => Math.abs(a.line - line) - Math.abs(b.line - line))[0]
}
