import { isName } from './names.ts'
import { Char } from './values.ts'

export { parseNumber } from './number.ts'

const NAMED: Record<string, string> = {
  newline: '\n', space: ' ', tab: '\t', return: '\r', backspace: '\b', formfeed: '\f',
} // prettier-ignore

/** The character that `\token` stands for; `undefined` if it is none. */
export function parseChar(token: string): Char | undefined {
  if (token.length === 1 || (token.length === 2 && token.codePointAt(0)! > 0xffff)) {
    return token.isWellFormed() ? new Char(token) : undefined
  }
  if (Object.hasOwn(NAMED, token)) return new Char(NAMED[token]!)
  const code = /^u[\da-fA-F]{4}$/.test(token)
    ? parseInt(token.slice(1), 16)
    : /^o[0-3]?[0-7]{1,2}$/.test(token)
      ? parseInt(token.slice(1), 8)
      : -1
  return code === -1 || (code >= 0xd800 && code <= 0xdfff) ? undefined : new Char(String.fromCharCode(code))
}

/** The number that `##token` stands for; `undefined` if it is none. */
export function parseSymbolic(token: string): number | undefined {
  return token === 'Inf' ? Infinity : token === '-Inf' ? -Infinity : token === 'NaN' ? NaN : undefined
}

/** Whether `#:token` can stand before a map, to lend its keys a namespace. */
export function isMapNamespace(token: string): boolean {
  return isName(token) && !token.startsWith(':') && !token.includes('/')
}
